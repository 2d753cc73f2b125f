"""
The JSON Schemas of framekit's documents, one file a version.

Installed as ``framekit.schemas``; read by ``framekit.schema``.
"""
