import DFKit
import Testing

@Suite struct TableTests {
  @Test func columnsLineUp() {
    var table = TextTable([.init("name"), .init("value", .right), .init("note")])
    table.add(["a", "1.0", ""])
    table.add(["longer", "12.5", "x"])
    #expect(
      table.text == """
        name    value  note
        a         1.0
        longer   12.5  x
        """)
  }

  @Test func controlCharactersCannotSteerTheTerminal() {
    var table = TextTable([.init("file")])
    table.add(["a\u{1B}[2J\nb\u{202E}gpj.exe"])
    #expect(table.text == "file\na?[2J?b?gpj.exe")
  }

  @Test func wideCharactersTakeTwoColumns() {
    var table = TextTable([.init("file"), .init("faces")])
    table.add(["漢字😀.jpg", "1"])
    table.add(["ünïcødé.jp", "2"])
    #expect(
      table.text == """
        file        faces
        漢字😀.jpg  1
        ünïcødé.jp  2
        """)
  }

  @Test func longPathsGiveWayOnATerminal() {
    var table = TextTable([.init("file"), .init("P(fake)", .right), .init("note")])
    let path = "a/very/long/way/to/the/archive/of/all/clips/that/came/in/clip-0001.mp4"
    table.add([path, "0.500", "no face found"])
    table.add(["short.mp4", "0.250", ""])
    let lines = table.text(width: 60).split(separator: "\n").map(String.init)
    #expect(lines.allSatisfy { $0.count <= 60 })
    #expect(lines[1].hasPrefix("a/very/"))
    #expect(lines[1].contains("…"))
    #expect(lines[1].contains("clip-0001.mp4    0.500  no face found"))
    // As much as fits is kept, and where there is room, all of it.
    #expect(lines[1].count == 60)
    #expect(table.text(width: 200) == table.text)
    for width in [0, 1, 30] {
      #expect(table.text(width: width).contains("clip-0001.mp4"))
    }
  }

  @Test func notesGoOnBelow() {
    var table = TextTable([.init("file"), .init("P(fake)", .right), .init("note")])
    table.add(["a.mp4", "0.500", "the file is cut off: its index is missing. Take a complete copy"])
    table.add(["b.mp4", "0.250", "short"])
    #expect(
      table.text(width: 42) == """
        file   P(fake)  note
        a.mp4    0.500  the file is cut off: its
                        index is missing. Take a
                        complete copy
        b.mp4    0.250  short
        """)
    #expect(table.text(width: 400) == table.text)
    // A word that has no room stays whole.
    table.add(["c.mp4", "0.1", String(repeating: "x", count: 60)])
    #expect(table.text(width: 42).contains(String(repeating: "x", count: 60)))
  }

  @Test func columnsWithoutRoomFollow() {
    var table = TextTable([.init("of")] + (1...5).map { .init("figure \($0)") })
    table.add(["frames"] + (1...5).map { "0.\($0) (0.0 to 1.0)" })
    table.add(["videos"] + (1...5).map { _ in "-" })
    let text = table.text(width: 50)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= 50 })
    #expect(
      text.hasPrefix(
        """
        of      figure 1          figure 2
        frames  0.1 (0.0 to 1.0)  0.2 (0.0 to 1.0)
        videos  -                 -

        of      figure 3          figure 4
        """), "\(text)")
    for index in 1...5 { #expect(text.contains("0.\(index) (0.0 to 1.0)")) }
  }

  @Test func linesFoldAtSpaces() {
    let text = "one two three\n    four five six\n\nseven"
    let folded = TextTable.folded(lines: text, width: 9)
    #expect(folded == "one two three\n    four five six\n\nseven", "no line is narrower than 20")
    #expect(
      TextTable.folded(lines: "  the first line goes on below", width: 22)
        == "  the first line goes\n  on below")
  }

  @Test func theTerminalSetsTheWidthOfAllTables() {
    var table = TextTable([.init("file"), .init("note")])
    table.add(["a", "one two three four five six seven"])
    let wide = table.text
    TextTable.$terminalWidth.withValue(30) {
      #expect(table.text == table.text(width: 30) && table.text != wide)
    }
    #expect(!wide.dropFirst(12).contains("\n"))
  }

  @Test func progressFitsItsLine() {
    var progress = JobProgress(done: 2, total: 4, file: "clips/a.mp4", fraction: 0.5)
    #expect(progress.overall == 0.625)
    let line = ProgressLine.text(progress, elapsed: 50, width: 80)
    #expect(line == "[############........] 62 %  2/4  0:30 left  clips/a.mp4")
    progress.file = String(repeating: "x", count: 500)
    for width in [0, 1, 20, 80] {
      #expect(ProgressLine.text(progress, elapsed: 50, width: width).count <= max(0, width - 1))
    }
    progress = JobProgress(done: 0, total: 0, file: "", fraction: 0)
    #expect(progress.overall == 1)
  }

  @Test func longWaitsAreShownInHours() {
    let progress = JobProgress(done: 1, total: 10, file: "f", fraction: 0)
    let line = ProgressLine.text(progress, elapsed: 1000, width: 80)
    #expect(line.contains("2:30:00 left"), "\(line)")
  }
}
