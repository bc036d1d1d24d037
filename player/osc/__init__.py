"""The operator's port: datagrams to commands, and answers."""
