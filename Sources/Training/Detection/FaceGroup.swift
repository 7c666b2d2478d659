import DeepfakeCore
import FaceDetect
import Foundation

/// Groups of faces by properties that make them easy or hard to find: size, pose and light.
///
/// A face is in one size group, in one pose group if its landmarks are known, and in `dark` if
/// there is little light.
package enum FaceGroup: String, CaseIterable, Sendable {
  // Sizes: the longer side of the box.
  case smallest = "8 to 16 pixels"
  case small = "16 to 32 pixels"
  case medium = "32 to 64 pixels"
  case large = "64 to 128 pixels"
  case largest = "128 pixels and more"
  // Poses: how far the head is turned to a side, or otherwise tilted towards a shoulder.
  case frontal = "frontal"
  case turned = "turned to a side"
  case profile = "in profile"
  case tilted = "tilted by 25 degrees and more"
  case dark = "dark"

  /// The groups that a face in a picture belongs to.
  package static func groups(of face: Face, in image: Image) -> [FaceGroup] {
    var groups = [size(of: face.box)]
    if let pose = pose(of: face.landmarks) { groups.append(pose) }
    if image.luminance(in: face.box) < darkLuminance { groups.append(.dark) }
    return groups
  }

  /// A face with a mean luminance below this, of 255, is dark.
  private static let darkLuminance: Float = 50

  private static func size(of box: Box) -> FaceGroup {
    switch max(box.width, box.height) {
    case ..<16: .smallest
    case ..<32: .small
    case ..<64: .medium
    case ..<128: .large
    default: .largest
    }
  }

  /// The pose by five landmarks; nil without landmarks or if both eyes are at the same point.
  package static func pose(of landmarks: [Point]) -> FaceGroup? {
    guard landmarks.count == 5 else { return nil }
    let (left, right, nose) = (landmarks[0], landmarks[1], landmarks[2])
    let (x, y) = (right.x - left.x, right.y - left.y)
    let distance = hypot(x, y)
    guard distance > 0 else { return nil }
    // Position of the nose along the line of the eyes: 0 in the middle, 1 below one of the eyes.
    let middle = Point(x: (left.x + right.x) / 2, y: (left.y + right.y) / 2)
    let shift = ((nose.x - middle.x) * x + (nose.y - middle.y) * y) / (distance * distance) * 2
    if abs(shift) >= 0.9 { return .profile }
    if abs(shift) >= 0.4 { return .turned }
    return abs(atan2(y, x)) >= 25 * .pi / 180 ? .tilted : .frontal
  }
}

extension Image {
  /// The mean luminance (BT.601) of the pixels in a box, 0 to 255; 255 if the box is outside the
  /// image.
  fileprivate func luminance(in box: Box) -> Float {
    let visible = box.clipped(to: Box(x1: 0, y1: 0, x2: Float(width), y2: Float(height)))
    guard visible.area > 0 else { return 255 }
    let (x, y) = (Int(visible.x1), Int(visible.y1))
    let luma = cropped(
      x: x, y: y, width: Int(visible.x2.rounded(.up)) - x, height: Int(visible.y2.rounded(.up)) - y
    ).luma
    return luma.reduce(0, +) / Float(luma.count)
  }
}
