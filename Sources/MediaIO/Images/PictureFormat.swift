import CFFmpeg
import CMediaShims
import Foundation

/// A picture format that is decoded here.
enum PictureFormat: Equatable {
  case jpeg, png
  /// HEIC, AVIF and what else is packed as they are.
  case heif
  /// What one of FFmpeg's decoders reads from the whole file's bytes.
  case ffmpeg(AVCodecID)

  /// The format that a file's first bytes show, of those with a decoder or a reader of their own
  /// here.
  init?(head: some Collection<UInt8>) {
    // The fourth byte of JPEG-LS, which FFmpeg reads, is F7.
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

/// What a file's first bytes show.
enum FileContent: Equatable {
  case picture(PictureFormat)
  /// A container that `Video` opens.
  case container

  /// Bytes at a file's start that are looked at.
  static let headSize = 1 << 18

  /// nil where they show nothing that is known here. `name` helps with containers that have no mark
  /// of their own.
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
