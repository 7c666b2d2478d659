import DeepfakeCore

/// Means of red, green and blue.
func meanColour(_ image: Image) -> [Float] {
  var sums = [0, 0, 0]
  for y in 0..<image.height {
    for x in 0..<image.width {
      let (red, green, blue) = image[x, y]
      sums[0] += Int(red)
      sums[1] += Int(green)
      sums[2] += Int(blue)
    }
  }
  return sums.map { Float($0) / Float(image.width * image.height) }
}
