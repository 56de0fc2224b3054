// Package migrations holds the steps that make the database schema, as goose SQL files: one
// folder for each database, config and history. A step that really differs between engines
// lies in a sub-folder named for the engine, under the same number in each.
package migrations

import (
	"embed"
	"io/fs"
	"path"
)

//go:embed config history
var files embed.FS

// For returns the steps of a database ("config" or "history") for an engine ("sqlite" or
// "postgres") as one flat folder.
func For(database, engine string) fs.FS {
	return overlay{shared: database, own: path.Join(database, engine)}
}

// overlay shows two folders as one.
type overlay struct{ shared, own string }

func (o overlay) Open(name string) (fs.File, error) {
	if f, err := files.Open(path.Join(o.own, name)); err == nil {
		return f, nil
	}
	return files.Open(path.Join(o.shared, name))
}

func (o overlay) Glob(pattern string) ([]string, error) {
	var names []string
	for _, folder := range []string{o.shared, o.own} {
		found, err := fs.Glob(files, path.Join(folder, pattern))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			names = append(names, path.Base(f))
		}
	}
	return names, nil
}
