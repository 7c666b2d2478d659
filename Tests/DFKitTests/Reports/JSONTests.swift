import DFKit
import Foundation
import Testing

@Suite struct JSONTests {
  @Test func plainValues() {
    #expect(JSON.null.text == "null")
    #expect(JSON.bool(true).text == "true")
    #expect(JSON.integer(-3).text == "-3")
    #expect(JSON.number(0.1).text == "0.1")
    #expect(JSON.number(2).text == "2")
    #expect(JSON.double(0.1).text == "0.1")
    #expect(JSON.number(Float?.none).text == "null")
    #expect(JSON.string(String?.none).text == "null")
  }

  @Test func numbersThatJSONLacksAreNull() {
    #expect(JSON.number(.nan).text == "null")
    #expect(JSON.number(.infinity).text == "null")
    #expect(JSON.double(-.infinity).text == "null")
  }

  @Test(arguments: [Float(1e-30), 1e30, 3.4e38, 1.1754944e-38, 0.3333333, -0, 16_777_216])
  func numbersReadBackAsTheyWere(_ value: Float) throws {
    let data = Data("[\(JSON.number(value).text)]".utf8)
    let read = try #require(try JSONSerialization.jsonObject(with: data) as? [Double])
    #expect(Float(read[0]) == value)
  }

  @Test func textIsQuoted() throws {
    #expect(JSON.string("a\"b\\c\n\t\r").text == #""a\"b\\c\n\t\r""#)
    #expect(JSON.string("\u{1}\u{7F}").text == #""\u0001\u007f""#)
    let text = "Zoë 😀 \u{2028} / <"
    let data = Data("[\(JSON.string(text).text)]".utf8)
    let read = try #require(try JSONSerialization.jsonObject(with: data) as? [String])
    #expect(read == [text])
  }

  @Test func layoutIsFixed() {
    let value: JSON = [
      "list": .numbers([1, 2.5]), "empty": .array([]), "none": .object([]),
      "pairs": .array([["a": .integer(1)], ["b": .null, "c": .string("x")]]),
      "deep": ["x": .array([.array([.integer(1)])])],
    ]
    #expect(
      value.text == """
        {
          "list": [1, 2.5],
          "empty": [],
          "none": {},
          "pairs": [
            {"a": 1},
            {"b": null, "c": "x"}
          ],
          "deep": {
            "x": [
              [1]
            ]
          }
        }
        """)
  }
}

@Suite struct CSVTests {
  @Test func fieldsAreQuotedWhereNeeded() {
    #expect(CSV.line(["a", "b c", "0.5"]) == "a,b c,0.5")
    #expect(CSV.line(["a,b", "say \"x\""]) == #""a,b","say ""x""""#)
    #expect(CSV.line(["two\nlines", "cr\r\n"]) == "\"two\nlines\",\"cr\r\n\"")
  }
}
