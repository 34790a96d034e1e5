"""What tests are made with: small models and files, and what holds of every part."""
