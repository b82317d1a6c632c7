//! Nothing: the tests and the example are this package's content.
