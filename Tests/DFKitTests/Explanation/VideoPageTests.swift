import DFKit
import Foundation
import TestSupport
import Testing

/// The page of the sample video against the facts that `--json` prints of it.
@Suite("Explanation: the page says what the JSON says") struct VideoPageTests {
  private static let made = Result {
    try Paths.withTemporaryFolder { folder in
      let recipe = try Recipe.named(Recipe.defaultName)
      let explainer = try VideoExplainer(
        recipe: recipe, weights: MemberFiles([], members: recipe.members),
        detectorWeights: recipe.detector.choice(in: WeightsStore(folder: folder)).weights)
      return try explainer.explain(Paths.package.appendingPathComponent("Examples/sample.mp4"))
    }
  }

  private func page() throws -> String { try VideoPage(try Self.made.get()).html }

  private func facts() throws -> [String: Any] {
    let text = try Self.made.get().json.text
    return try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func count(_ part: String, _ page: String) -> Int {
    page.components(separatedBy: part).count - 1
  }

  private func text(_ page: String) -> String {
    page.replacing(/<style>.*?<\/style>/.dotMatchesNewlines(), with: "")
      .replacing(/<pre>.*?<\/pre>/.dotMatchesNewlines(), with: "")
      .replacing(/<[^>]*>/, with: " ").replacing(/\s+/, with: " ")
  }

  /// All numbers and texts in a JSON value.
  private func leaves(_ value: Any) -> [Any] {
    switch value {
    case let object as [String: Any]: object.values.flatMap(leaves)
    case let array as [Any]: [array.count] + array.flatMap(leaves)
    default: [value]
    }
  }

  @Test func everyNumberOnThePageIsInTheFacts() throws {
    // What stands on any page: the explanations of how to read it.
    var known: Set<String> = ["0", "1", "0.5", "0.8", "0.6", "80", "256"]
    for leaf in leaves(try facts()) {
      if let number = leaf as? NSNumber {
        let value = number.doubleValue
        for digits in 0...2 { known.insert(String(format: "%.\(digits)f", abs(value))) }
      } else if let words = leaf as? String {
        for match in words.matches(of: /[0-9]+(\.[0-9]+)?/) { known.insert(String(match.output.0)) }
      }
    }
    let page = text(try page())
    let numbers = page.matches(of: /[0-9]+(\.[0-9]+)?/).map { String($0.output.0) }
    #expect(numbers.count > 100)
    for number in numbers {
      #expect(known.contains(number), "\(number) is on the page and not in the JSON")
    }
  }

  @Test func theVerdictIsTheSame() throws {
    let (page, facts) = (text(try page()), try facts())
    let verdict = try #require(facts["verdict"] as? [String: Any])
    let words = ["fake": "Looks manipulated", "real": "No sign of manipulation found"]
    let name = try #require(verdict["verdict"] as? String)
    #expect(page.contains(words[name] ?? "Undecided"))
    let probability = try #require(verdict["probability"] as? Double)
    #expect(page.contains("P(fake) = \(String(format: "%.2f", probability))"))
    let (found, frames) = (verdict["facesFound"] as? Int ?? -1, verdict["frames"] as? Int ?? -1)
    #expect(page.contains("Based on \(found) frames with faces, of \(frames) analysed frames"))
    let band = try #require(page.firstMatch(of: /From (0\.\d\d) to (0\.\d\d) \(hatched/))
    let settings = try #require(facts["settings"] as? String)
    let given = try #require(settings.firstMatch(of: /undecided: \[([0-9.]+), ([0-9.]+)\]/))
    #expect(Float(band.1) == Float(given.1) && Float(band.2) == Float(given.2))
  }

  @Test func everyPersonAndFaceIsShown() throws {
    let (page, facts) = (try page(), try facts())
    let people = try #require(facts["people"] as? [[String: Any]])
    #expect(count("<section class=\"person\"", page) == people.count)
    let scores = people.flatMap { $0["scores"] as? [[String: Any]] ?? [] }
    #expect(!scores.isEmpty && count("<circle ", page) == scores.count)
    for score in scores {
      let time = String(format: "%.1f", score["time"] as? Double ?? -1)
      let probability = String(format: "%.2f", score["probability"] as? Double ?? -1)
      #expect(page.contains("<title>\(time) s: \(probability)</title>"))
    }
    let driving = people.flatMap { $0["driving"] as? [[String: Any]] ?? [] }
    #expect(driving.count == 6 && count("alt=\"The face at", page) == driving.count)
    #expect(count("class=\"heat\"", page) == driving.count { $0["heat"] is [String: Any] })
    for face in driving {
      for (region, weight) in face["regions"] as? [String: Double] ?? [:] {
        let sign = weight < 0 ? "\u{2212}" : "+"
        let number = sign + String(format: "%.2f", abs(weight))
        let escaped = NSRegularExpression.escapedPattern(for: number)
        let row = try Regex("scope=\"row\">\(region)</th>.{1,200}?>\(escaped)<")
        #expect(page.contains(row), "\(region) \(number)")
      }
    }
  }

  @Test func filesAndNetworksAreNamed() throws {
    let (page, facts) = (try page(), try facts())
    let file = try #require(facts["file"] as? [String: Any])
    for key in ["path", "sha256", "codec"] {
      #expect(page.contains("\(file[key] as? String ?? "?")"))
    }
    let models = try #require(facts["models"] as? [[String: Any]])
    #expect(models.count == 1 + (try Recipe.named(Recipe.defaultName)).members.count)
    for model in models {
      for key in ["name", "architecture", "weights", "sha256"] {
        #expect(page.contains(">\(model[key] as? String ?? "?")<"))
      }
    }
    for line in try #require(facts["notLookedAt"] as? [String]) {
      #expect(page.contains("<li>\(line)</li>"))
    }
    #expect(page.contains(dfkitVersion))
  }

  @Test func nothingIsFetchedOrRun() throws {
    let page = try page()
    #expect(!page.contains("<script") && !page.contains("http") && !page.contains("<link"))
    #expect(!page.contains("url(") && !page.contains("{{") && !page.contains("onclick"))
    for source in page.matches(of: /src="(.{30})/) {
      #expect(source.1.hasPrefix("data:image/jpeg;base64,/9j/"))
    }
  }

  @Test func whatAFileIsCalledRunsNoCode() throws {
    var explanation = try Self.made.get()
    explanation.file.path = "<script>alert(1)</script>.mp4"
    explanation.report.warnings = ["\"><img src=x onerror=alert(1)>"]
    let page = try VideoPage(explanation).html
    #expect(!page.contains("<script>") && !page.contains("<img src=x"))
    #expect(page.contains("&lt;script&gt;"))
  }
}
