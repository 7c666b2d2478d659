// The API for whole jobs. Importing DFKit also imports the layers below it.
@_exported import Classifiers
@_exported import DeepfakeCore
@_exported import FaceData
@_exported import FaceDetect
@_exported import Measures
@_exported import MediaIO
@_exported import Training
