/// Sets that share nothing and can be joined: union and find.
package struct DisjointSets {
  private var parents: [Int]

  /// Each of `count` elements in a set of its own.
  package init(count: Int) {
    parents = Array(0..<count)
  }

  /// The element that stands for the set of `element`.
  package mutating func root(of element: Int) -> Int {
    var element = element
    while parents[element] != element {
      parents[element] = parents[parents[element]]
      element = parents[element]
    }
    return element
  }

  /// Makes one set of two; the lower of the elements that stood for them stands for it.
  package mutating func join(_ a: Int, _ b: Int) {
    let (a, b) = (root(of: a), root(of: b))
    parents[max(a, b)] = min(a, b)
  }
}
