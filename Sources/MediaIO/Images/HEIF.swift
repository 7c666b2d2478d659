import Foundation

/// The index of the pictures in a HEIF file (HEIC, AVIF): the `meta` box of ISO/IEC 23008-12.
struct HEIF {
  /// A picture, either coded or composed of other pictures.
  struct Item {
    /// The type of the item, such as `hvc1`, `av01` or `grid`.
    var kind = ""
    /// The ranges of its bytes.
    var extents: [Range<Int>] = []
    /// Whether the ranges are in the `idat` box instead of the file.
    var isInMeta = false
    /// The numbers of its properties, starting at 1, in the order in which to apply them.
    var properties: [Int] = []
    /// The numbers of the items that it is composed of.
    var parts: [Int] = []
  }

  enum Property {
    case size(width: Int, height: Int)
    /// The configuration for the decoder.
    case configuration([UInt8])
    /// The numbers of ISO/IEC 23091-2.
    case colour(matrix: Int, isFullRange: Bool)
    case turn(Orientation)
    /// The part of the picture to show.
    case aperture(Aperture)
    case other
  }

  /// The part of a picture to show, in pixels. The offsets are those of its centre.
  struct Aperture {
    var width, height, offsetX, offsetY: Double
  }

  /// The reason why the file cannot be used.
  enum Problem: Error, Equatable {
    case cutOff
    case damaged(String)
  }

  private(set) var primary = 0
  private(set) var items: [Int: Item] = [:]
  private(set) var properties: [Property] = []
  /// The range of the `idat` box's content in the file.
  private(set) var metaData: Range<Int> = 0..<0

  /// The main brand in the first bytes of an ISO file (HEIC, MP4); nil for other files.
  static func brand(head: some Collection<UInt8>) -> String? {
    let start = [UInt8](head.prefix(12))
    guard start.count == 12, start[4..<8].elementsEqual("ftyp".utf8) else { return nil }
    return String(decoding: start[8..<12], as: UTF8.self)
  }

  /// The main brands of files that contain a still picture; image sequences have other brands.
  static let stillBrands: Set<String> = ["heic", "heix", "heim", "heis", "mif1", "mif2", "avif"]

  init(_ file: UnsafeRawBufferPointer) throws(Problem) {
    var boxes = ByteReader(file)
    while let box = boxes.box() {
      guard box.kind == "meta" else { continue }
      guard box.isWhole else { throw .cutOff }
      try readMeta(box, in: file)
      guard items[primary] != nil else { throw .damaged("it has no main picture") }
      return
    }
    // The file ends before the index, which may come after the pictures.
    throw .cutOff
  }

  private mutating func readMeta(
    _ meta: ByteReader.Box, in file: UnsafeRawBufferPointer
  ) throws(Problem) {
    guard var boxes = meta.header()?.rest else { throw .damaged("its index is too short") }
    while let box = boxes.box() {
      guard box.isWhole else { throw .damaged("its index is inconsistent") }
      let isRead =
        switch box.kind {
        case "pitm": readPrimary(box)
        case "iinf": readKinds(box)
        case "iloc": readPlaces(box, fileSize: file.count)
        case "iref": readParts(box)
        case "iprp": readProperties(box)
        case "idat": noteData(box, in: file)
        default: true
        }
      guard isRead else { throw .damaged("its index (\(box.kind)) is inconsistent") }
    }
  }

  private mutating func noteData(_ box: ByteReader.Box, in file: UnsafeRawBufferPointer) -> Bool {
    guard let start = box.content.baseAddress, let first = file.baseAddress else { return false }
    let place = start - first
    metaData = place..<place + box.content.count
    return true
  }

  private mutating func readPrimary(_ box: ByteReader.Box) -> Bool {
    guard let header = box.header() else { return false }
    var reader = header.rest
    guard let id = reader.number(header.version == 0 ? 2 : 4) else { return false }
    primary = id
    return true
  }

  private mutating func readKinds(_ box: ByteReader.Box) -> Bool {
    guard let header = box.header() else { return false }
    var reader = header.rest
    guard reader.skip(header.version == 0 ? 2 : 4) else { return false }
    while let entry = reader.box() {
      guard entry.kind == "infe", let header = entry.header() else { return false }
      // Versions 0 and 1 are not used for pictures.
      guard header.version >= 2 else { continue }
      var fields = header.rest
      guard let id = fields.number(header.version == 2 ? 2 : 4), fields.skip(2),
        let kind = fields.name()
      else { return false }
      items[id, default: Item()].kind = kind
    }
    return true
  }

  private mutating func readPlaces(_ box: ByteReader.Box, fileSize: Int) -> Bool {
    guard let (version, _, rest) = box.header(), version <= 2 else { return false }
    var reader = rest
    guard let sizes = reader.number(2), let count = reader.number(version < 2 ? 2 : 4) else {
      return false
    }
    let (offsetSize, lengthSize, baseSize) = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15)
    let indexSize = version == 0 ? 0 : sizes & 15
    for _ in 0..<count {
      guard let id = reader.number(version < 2 ? 2 : 4),
        let method = version == 0 ? 0 : reader.number(2), reader.skip(2),
        let base = reader.number(baseSize), let extents = reader.number(2)
      else { return false }
      // Extents that take no bytes are refused: a small file could state any number of them.
      guard extents <= 1 || offsetSize + lengthSize + indexSize > 0 else { return false }
      var ranges: [Range<Int>] = []
      for _ in 0..<extents {
        guard reader.skip(indexSize), let offset = reader.number(offsetSize),
          let length = reader.number(lengthSize)
        else { return false }
        let (start, startOverflows) = base.addingReportingOverflow(offset)
        let (end, endOverflows) = start.addingReportingOverflow(length)
        guard !startOverflows, !endOverflows else { return false }
        // A length of 0 means all bytes up to the end.
        ranges.append(start..<(length == 0 ? max(start, fileSize) : end))
      }
      items[id, default: Item()].extents = ranges
      items[id, default: Item()].isInMeta = method & 15 == 1
    }
    return true
  }

  private mutating func readParts(_ box: ByteReader.Box) -> Bool {
    guard let header = box.header() else { return false }
    var reader = header.rest
    let size = header.version == 0 ? 2 : 4
    while let reference = reader.box() {
      guard reference.kind == "dimg" else { continue }
      var fields = ByteReader(reference.content)
      guard let from = fields.number(size), let count = fields.number(2) else { return false }
      var parts: [Int] = []
      for _ in 0..<count {
        guard let part = fields.number(size) else { return false }
        parts.append(part)
      }
      items[from, default: Item()].parts = parts
    }
    return true
  }

  private mutating func readProperties(_ box: ByteReader.Box) -> Bool {
    var boxes = ByteReader(box.content)
    while let box = boxes.box() {
      switch box.kind {
      case "ipco":
        var list = ByteReader(box.content)
        while let property = list.box() { properties.append(Self.property(property)) }
      case "ipma":
        guard readUses(box) else { return false }
      default: break
      }
    }
    return true
  }

  private mutating func readUses(_ box: ByteReader.Box) -> Bool {
    guard let (version, flags, rest) = box.header() else { return false }
    var reader = rest
    guard let count = reader.number(4) else { return false }
    for _ in 0..<count {
      guard let id = reader.number(version < 1 ? 2 : 4), let uses = reader.number(1) else {
        return false
      }
      for _ in 0..<uses {
        guard let use = reader.number(flags & 1 == 0 ? 1 : 2) else { return false }
        // The highest bit states whether a reader must support the property.
        items[id, default: Item()].properties.append(use & (flags & 1 == 0 ? 0x7F : 0x7FFF))
      }
    }
    return true
  }

  private static func property(_ box: ByteReader.Box) -> Property {
    var reader = ByteReader(box.content)
    switch box.kind {
    case "ispe":
      guard reader.skip(4), let width = reader.number(4), let height = reader.number(4) else {
        break
      }
      return .size(width: width, height: height)
    case "hvcC", "av1C", "avcC":
      return .configuration(Array(box.content))
    case "colr":
      guard reader.name() == "nclx", reader.skip(4), let matrix = reader.number(2),
        let range = reader.number(1)
      else { break }
      return .colour(matrix: matrix, isFullRange: range & 0x80 != 0)
    case "irot":
      guard let turns = reader.number(1) else { break }
      // Quarter turns counterclockwise.
      return .turn([.upright, .rotated270, .rotated180, .rotated90][turns & 3])
    case "imir":
      guard let axis = reader.number(1) else { break }
      return .turn(axis & 1 == 0 ? .flipped : .mirrored)
    case "clap":
      return aperture(&reader).map(Property.aperture) ?? .other
    default: break
    }
    return .other
  }

  private static func aperture(_ reader: inout ByteReader) -> Aperture? {
    var values: [Double] = []
    for _ in 0..<4 {
      guard let over = reader.number(4), let under = reader.number(4), under > 0 else { return nil }
      values.append(Double(Int32(truncatingIfNeeded: over)) / Double(under))
    }
    return Aperture(width: values[0], height: values[1], offsetX: values[2], offsetY: values[3])
  }

  /// The properties of an item, in the order in which to apply them.
  func properties(of item: Item) -> [Property] {
    item.properties.compactMap { properties.indices.contains($0 - 1) ? properties[$0 - 1] : nil }
  }
}
