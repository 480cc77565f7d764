"""Models read from their own files: a folder below the model root, or a repository of a hub; headers, never tensors."""
