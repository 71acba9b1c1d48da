"""What a person does with labels; MediaLibrary.labels."""
