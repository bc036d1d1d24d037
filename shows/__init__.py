"""What is shown: the show's files, their meaning in time, and the shows themselves.

Needs numpy, pydantic, PyYAML and safetensors; loads neither torch nor a window system.
Every fault of a show's files is raised as `shows.schema.ShowError`.
"""
