import CFFmpeg
import CMediaShims
import Foundation

/// A picture format that can be decoded.
enum PictureFormat: Equatable {
  case jpeg, png
  /// HEIC, AVIF and other formats in a HEIF container.
  case heif
  /// A format that one of FFmpeg's decoders reads from the bytes of a whole file.
  case ffmpeg(AVCodecID)

  /// The format by a file's first bytes, if it is JPEG, PNG or HEIF; nil for all others.
  init?(head: some Collection<UInt8>) {
    // JPEG-LS, which FFmpeg reads, has F7 as its fourth byte.
    if head.starts(with: [0xFF, 0xD8, 0xFF]), head.dropFirst(3).first != 0xF7 {
      self = .jpeg
    } else if head.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if HEIF.brand(head: head).map(HEIF.stillBrands.contains) ?? false {
      self = .heif
    } else {
      return nil
    }
  }
}

/// The content of a file by its first bytes.
enum FileContent: Equatable {
  case picture(PictureFormat)
  /// A container that `Video` opens.
  case container

  /// The number of bytes to examine at the start of a file.
  static let headSize = 1 << 18

  /// Nil if the content is unknown. `name` helps to recognise containers without a signature.
  init?(head: Data, name: String? = nil) {
    var head = head.prefix(Self.headSize)
    if let format = PictureFormat(head: head) {
      self = .picture(format)
      return
    }
    let count = Int32(head.count)
    guard count > 0 else { return nil }
    // FFmpeg's probes may read a little past the end.
    head.append(Data(count: 32))
    df_av_log_collect()
    var codec: Int32 = 0
    let found = head.withUnsafeBytes { bytes in
      df_av_probe(bytes.bindMemory(to: UInt8.self).baseAddress, count, name, &codec)
    }
    _ = Message.takeLog()
    switch found {
    case DF_CONTENT_CONTAINER: self = .container
    case DF_CONTENT_PICTURE: self = .picture(.ffmpeg(AVCodecID(UInt32(codec))))
    default: return nil
    }
  }
}
