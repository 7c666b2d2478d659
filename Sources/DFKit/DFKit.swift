// Whole jobs. Importing DFKit gives the layers below it as well.
@_exported import Classifiers
@_exported import DeepfakeCore
@_exported import FaceData
@_exported import FaceDetect
@_exported import Measures
@_exported import MediaIO
@_exported import Training
