import Foundation
import MediaIO
import Testing

@Suite struct SHA256Tests {
  @Test func knownHashes() {
    // FIPS 180-4's examples.
    #expect(
      SHA256.digits(of: Data())
        == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      SHA256.digits(of: Data("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      SHA256.digits(of: Data(repeating: UInt8(ascii: "a"), count: 1_000_000))
        == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test func piecesOfAnySizeAddUp() {
    let data = Data((0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) })
    let whole = SHA256.digits(of: data)
    for size in [1, 3, 63, 64, 65, 999] {
      let hash = SHA256()
      for start in stride(from: 0, to: data.count, by: size) {
        data[start..<min(start + size, data.count)].withUnsafeBytes { hash.update($0) }
      }
      #expect(hash.digits() == whole, "pieces of \(size)")
    }
  }
}
