package api

// Document is the OpenAPI document itself.
type Document map[string]any

type openAPIOutput struct{ Body Document }
