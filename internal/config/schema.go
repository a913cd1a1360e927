package config

import _ "embed"

//go:embed schema.json
var schema string

// Schema returns the JSON Schema of the file, for editors and pipelines: draft-07,
// since YAML editors read that and many of them nothing newer. It knows the form
// of every value and not what takes the whole file to judge; and of what Parse
// accepts it refuses nothing but odd spellings, such as a duration with a sign.
func Schema() string { return schema }
