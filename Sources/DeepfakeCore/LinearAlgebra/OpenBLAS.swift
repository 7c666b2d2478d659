import COpenBLAS

/// The setup that every call into OpenBLAS and LAPACKE needs first.
enum OpenBLAS {
  // The library has its own thread pool. OpenBLAS is called from its threads and must not start
  // others.
  static let singleThreaded: Void = openblas_set_num_threads(1)
}
