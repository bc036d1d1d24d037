"""Published snapshots (.pkl), of PyTorch and of TensorFlow: read as data, and written."""
