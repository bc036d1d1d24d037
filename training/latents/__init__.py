"""From paintings to curated latent sets: project, choose, publish."""
