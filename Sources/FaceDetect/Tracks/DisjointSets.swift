/// Disjoint sets that can be joined (union-find).
package struct DisjointSets {
  private var parents: [Int]

  /// Creates `count` sets of one element each.
  package init(count: Int) {
    parents = Array(0..<count)
  }

  /// The element that represents the set of `element`.
  package mutating func root(of element: Int) -> Int {
    var element = element
    while parents[element] != element {
      parents[element] = parents[parents[element]]
      element = parents[element]
    }
    return element
  }

  /// Joins two sets. The smaller of their two representatives represents the result.
  package mutating func join(_ a: Int, _ b: Int) {
    let (a, b) = (root(of: a), root(of: b))
    parents[max(a, b)] = min(a, b)
  }
}
