"""Parts of windows that know nothing of jobs: distances, pictures, a field for prompts. Imported only when there is a screen."""
