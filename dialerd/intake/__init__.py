"""The ways in: documents, the socket, the drop folder. What they take is handed to the engine's desk."""
