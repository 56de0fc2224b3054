// Package config turns flags, environment variables and one YAML file into a typed Config.
//
// The table in settings.go is the single source of every setting: its flag, its POINT_*
// variable, its name in the file, its default and its help come from one row. A flag wins
// over a variable, a variable over the file, the file over the default.
//
// Load reports everything that is wrong at once, each problem with where it stands and what
// to do. Unknown fields of the file are problems; unknown POINT_* variables are warnings,
// since container platforms inject such names. Secrets have no flag, because command lines
// are visible to every process; they may be put in a file that NAME_FILE points to.
//
// The file also declares providers, endpoints, aliases, keys and alert rules. They are checked by the same
// code as what /api is given; what a kind of provider needs, and which providers there are, is
// checked in app.
package config
