"""How a generator and a show's latent sets come to be: `python -m training <verb>`."""
