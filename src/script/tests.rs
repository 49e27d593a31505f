//! Scripts as people write them, against the API that they know.
