/// An exponential moving average of parameters: mean = decay * mean + (1 - decay) * value (Polyak
/// and Juditsky 1992). The first update copies the values.
package struct ExponentialMovingAverage: WeightAverage {
  /// The fraction of the mean that an update keeps, in 0..<1.
  package var decay: Float
  /// Whether to start with a smaller decay: (1 + n) / (10 + n) after n updates, as long as this is
  /// smaller. The first values are then forgotten sooner (an option of TensorFlow).
  package var warmsUp: Bool
  package var averages = ParameterAverages()

  package init(decay: Float = 0.999, warmsUp: Bool = false) {
    precondition(
      (0..<1).contains(decay), "ExponentialMovingAverage: decay \(decay) is not in 0..<1")
    self.decay = decay
    self.warmsUp = warmsUp
  }

  /// Adds the current values to the means.
  package mutating func update(_ parameters: [Parameter]) {
    let count = Float(averages.updates)
    let decay = warmsUp ? min(decay, (1 + count) / (10 + count)) : decay
    averages.move(towards: parameters, by: averages.updates == 0 ? 1 : 1 - decay)
  }
}
