"""HTTP: the providers' webhooks, the API for the business's services, and the pages."""
