import Foundation

/// Checks a node's settings, and gives what it computes.
typealias ONNXBuilder =
  @Sendable (inout ONNXNodePlan) throws(ONNXMismatch) -> ONNXBody

/// The operations of ONNX that dfkit has.
enum ONNXOperations {
  /// Every operation by its name in files.
  static let catalogue: [String: ONNXBuilder] = [
    "Abs": unary { $0.abs() },
    "Add": binary({ $0 + $1 }, { exact($0.addingReportingOverflow($1)) }),
    "AveragePool": averagePool,
    "BatchNormalization": batchNorm,
    "Cast": cast,
    "Ceil": unary { $0.mapped { $0.rounded(.up) } },
    "Clip": clip,
    "Concat": concatenate,
    "Constant": constant,
    "ConstantOfShape": constantOfShape,
    "Conv": convolution,
    "Div": binary({ $0 / $1 }, { $1 == 0 ? nil : exact($0.dividedReportingOverflow(by: $1)) }),
    "Dropout": identity,
    "Elu": elu,
    "Equal": integerBinary { $0 == $1 ? 1 : 0 },
    "Erf": unary { $0.mappedOneByOne { erf($0) } },
    "Exp": unary { $0.exp() },
    "Expand": expand,
    "Flatten": flatten,
    "Floor": unary { $0.mapped { $0.rounded(.down) } },
    "Gather": gather,
    "Gelu": gelu,
    "Gemm": generalProduct,
    "GlobalAveragePool": globalPool { $0.globalAveragePool() },
    "GlobalMaxPool": globalPool { $0.max(axes: [1, 2]) },
    "HardSigmoid": hardSigmoid,
    "HardSwish": hardSwish,
    "Identity": identity,
    "InstanceNormalization": instanceNorm,
    "LSTM": lstm,
    "LayerNormalization": layerNorm,
    "LeakyRelu": leakyReLU,
    "Log": unary { $0.log() },
    "LogSoftmax": softmax { $0.logSoftmax(axis: $1) },
    "MatMul": matrixProduct,
    "Max": folded({ Tensor.maximum($0, $1) }, { Swift.max($0, $1) }),
    "MaxPool": maxPool,
    "Min": folded({ Tensor.minimum($0, $1) }, { Swift.min($0, $1) }),
    "Mul": binary({ $0 * $1 }, { exact($0.multipliedReportingOverflow(by: $1)) }),
    "Neg": unary { -$0 },
    "PRelu": prelu,
    "Pad": pad,
    "Pow": power,
    "Reciprocal": unary { 1 / $0 },
    "ReduceL2": reduction { ($0 * $0).sum(axes: $1, keepsDimensions: true).squareRoot() },
    "ReduceMax": reduction { $0.max(axes: $1, keepsDimensions: true) },
    "ReduceMean": reduction { $0.mean(axes: $1, keepsDimensions: true) },
    "ReduceMin": reduction { $0.min(axes: $1, keepsDimensions: true) },
    "ReduceSum": reduction { $0.sum(axes: $1, keepsDimensions: true) },
    "Relu": unary { $0.relu() },
    "Reshape": reshape,
    "Resize": resize,
    "Shape": shape,
    "Sigmoid": unary { $0.sigmoid() },
    "Size": size,
    "Slice": slice,
    "Softmax": softmax { $0.softmax(axis: $1) },
    "Split": split,
    "Sqrt": unary { $0.squareRoot() },
    "Squeeze": squeeze,
    "Sub": binary({ $0 - $1 }, { exact($0.subtractingReportingOverflow($1)) }),
    "Sum": folded({ $0 + $1 }, { exact($0.addingReportingOverflow($1)) }),
    "Tanh": unary { $0.tanh() },
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
    "Upsample": resize,
    "Where": choose,
  ]

  /// The operation's name as messages say it: with its namespace if it is not ONNX's own.
  static func name(of node: ONNXGraph.Node) -> String {
    isStandard(node.domain) ? node.operation : "\(node.domain).\(node.operation)"
  }

  /// The builder of a node's body; nil if dfkit does not have its operation.
  static func builder(of node: ONNXGraph.Node) -> ONNXBuilder? {
    isStandard(node.domain) ? catalogue[node.operation] : nil
  }

  private static func isStandard(_ domain: String) -> Bool {
    domain.isEmpty || domain == "ai.onnx"
  }

  /// Whether dfkit computes all outputs of a node, not only the first.
  static func hasAllOutputs(_ node: ONNXGraph.Node) -> Bool {
    ["Split", "LSTM"].contains(node.operation)
  }

  /// The result of an operation on integers; nil if it overflowed.
  private static func exact(_ result: (partialValue: Int, overflow: Bool)) -> Int? {
    result.overflow ? nil : result.partialValue
  }
}
