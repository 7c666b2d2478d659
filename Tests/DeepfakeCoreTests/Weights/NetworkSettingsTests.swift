import DeepfakeCore
import Testing

/// What is known of a network, from callers and files.
@Suite("Weights: network settings")
struct NetworkSettingsTests {
  private var full: NetworkSettings {
    var settings = NetworkSettings()
    settings.architecture = "efficientnet-b4"
    settings.scheme = "timm-tf"
    settings.norm = .group
    settings.groups = 4
    settings.stages = 5
    settings.size = 224
    settings.mean = [0.1, 0.2, 0.3]
    settings.std = [0.4, 0.5, 0.6]
    settings.channelOrder = .bgr
    settings.fit = .letterbox
    settings.classCount = 2
    settings.sequence = NetworkSettings.FrameSequence()
    settings.difference = 0.04
    settings.differenceChannels = .rgb
    settings.isMirrored = true
    return settings
  }

  /// A setting that is declared, but has no row in the table, is found here.
  @Test func everySettingIsFilledIn() throws {
    for (name, value) in Mirror(reflecting: full).children {
      #expect("\(value)" != "nil", "\(name ?? "") is not set by this test")
    }
    var settings = NetworkSettings()
    settings.fill(from: full)
    #expect(settings == full)
    // Files know nothing of mirrors.
    var metadata = ModelMetadata()
    metadata.network = full
    var read = try ModelMetadata(metadata.entries, file: "f").network
    read.isMirrored = true
    #expect(read == full)
  }

  @Test func whatIsKnownAlreadyStays() {
    var settings = NetworkSettings()
    settings.size = 96
    settings.isMirrored = false
    settings.fill(from: full)
    #expect(settings.size == 96 && settings.isMirrored == false && settings.stages == 5)
  }

  @Test func valuesThatCannotBeUsedAreNamed() {
    #expect(full.problem == nil && NetworkSettings().problem == nil)
    func problem(_ change: (inout NetworkSettings) -> Void) -> String {
      var settings = full
      change(&settings)
      return settings.problem.map { "\($0.name) \($0.reason)" } ?? "none"
    }
    #expect(problem { $0.size = 31 } == "size is 31; it must be 32 to 4096 pixels.")
    #expect(problem { $0.groups = 0 } == "number of groups is 0; it must be 1 to 1024.")
    #expect(problem { $0.classCount = 0 } == "number of classes is 0; it must be 1 to 100000.")
    #expect(problem { $0.mean = [0, .nan, 0] }.contains("it must be three numbers."))
    #expect(
      problem { $0.std = [1, 0, 1] }
        == "standard deviation is [1.0, 0.0, 1.0]; it must be three positive numbers.")
  }
}
