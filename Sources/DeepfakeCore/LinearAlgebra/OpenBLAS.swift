import COpenBLAS

/// What every call into OpenBLAS and LAPACKE needs first.
enum OpenBLAS {
  // One thread pool serves everything; OpenBLAS is called from it and keeps to its caller's thread.
  static let singleThreaded: Void = openblas_set_num_threads(1)
}
