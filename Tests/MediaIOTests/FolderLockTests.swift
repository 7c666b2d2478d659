import Foundation
import MediaIO
import Synchronization
import TestSupport
import Testing

@Suite struct FolderLockTests {
  @Test func aSecondLockIsRefusedUntilTheFirstIsReleased() throws {
    try Paths.withTemporaryFolder { folder in
      let lock = try FolderLock(folder: folder, name: "run")
      #expect(throws: FolderLock.Failure.held("run")) {
        try FolderLock(folder: folder, name: "run")
      }
      lock.release()
      _ = try FolderLock(folder: folder, name: "run")
    }
  }

  /// A descriptor that is closed twice closes the file that another thread has opened in between.
  @Test func aRefusedLockClosesNoFileOfOtherThreads() throws {
    try Paths.withTemporaryFolder { folder in
      let lock = try FolderLock(folder: folder, name: "run")
      defer { lock.release() }
      let picture = folder.appendingPathComponent("picture")
      try Data(repeating: 7, count: 10).write(to: picture)
      let isDone = Atomic(false)
      let lost = Mutex(0)
      DispatchQueue.concurrentPerform(iterations: 4) { worker in
        if worker == 0 {
          for _ in 0..<20_000 { _ = try? FolderLock(folder: folder, name: "run") }
          isDone.store(true, ordering: .releasing)
        }
        while !isDone.load(ordering: .acquiring) {
          if (try? RegularFile.read(picture, limit: 10).count) != 10 { lost.withLock { $0 += 1 } }
        }
      }
      #expect(lost.withLock { $0 } == 0)
    }
  }
}
