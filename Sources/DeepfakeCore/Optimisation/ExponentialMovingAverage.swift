/// An average of parameters in which older values fade: mean = decay * mean + (1 - decay) * value
/// (Polyak and Juditsky 1992). The first update takes the values as they are.
package struct ExponentialMovingAverage: WeightAverage {
  /// The part of the mean that an update keeps, in 0..<1.
  package var decay: Float
  /// Whether to begin with a smaller decay, (1 + n) / (10 + n) after n updates while that is less,
  /// so that the first values are forgotten sooner (as TensorFlow does on demand).
  package var warmsUp: Bool
  /// The means.
  package var averages = ParameterAverages()

  /// An average without values.
  package init(decay: Float = 0.999, warmsUp: Bool = false) {
    precondition(
      (0..<1).contains(decay), "ExponentialMovingAverage: decay \(decay) is not in 0..<1")
    self.decay = decay
    self.warmsUp = warmsUp
  }

  /// Takes in the present values.
  package mutating func update(_ parameters: [Parameter]) {
    let count = Float(averages.updates)
    let decay = warmsUp ? min(decay, (1 + count) / (10 + count)) : decay
    averages.move(towards: parameters, by: averages.updates == 0 ? 1 : 1 - decay)
  }
}
