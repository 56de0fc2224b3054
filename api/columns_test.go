package api

import (
	"database/sql"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"point"
)

// owned by the system: no body has a member of such a name, with the exceptions' reasons.
var (
	systemColumns = strings.Fields("id version created_at updated_at deleted_at managed_by hash key_hash token_hash password_hash sealed tenant org prev_hash")
	systemMembers = map[string]string{}
)

// otherColumns are names of other systems.
var otherColumns = strings.Fields("role id tenant org organization_id tenant_id created_at key_hash owner_id is_admin admin permissions scopes user_role user_id token prefix secrets health own_mapping disabled __proto__ constructor prototype allow_private private Name NAME CONFIG $set $where")

// columns are the names of every column of the store.
func (w *world) columns() []string {
	names := map[string]bool{}
	for _, name := range otherColumns {
		names[name] = true
	}
	for _, file := range []string{"config.db", "history.db"} {
		db, err := sql.Open("sqlite", filepath.Join(w.opts.DataDir, file))
		if err != nil {
			w.t.Fatal(err)
		}
		rows, err := db.Query(`SELECT c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`)
		if err != nil {
			w.t.Fatal(err)
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				w.t.Fatal(err)
			}
			names[name] = true
		}
		if err := rows.Err(); err != nil {
			w.t.Fatal(err)
		}
		_ = rows.Close()
		_ = db.Close()
	}
	return slices.Sorted(maps.Keys(names))
}

// TestMassAssignment gives every object that may be written every column that there is, and the
// names that other systems take: what the object does not have is refused by name.
func TestMassAssignment(t *testing.T) {
	w := newFullWorld(t)
	columns := w.columns()
	if !slices.Contains(columns, "password_hash") || !slices.Contains(columns, "upstream_model") {
		t.Fatal("the columns were not found", columns)
	}
	objects, fields := 0, 0
	version := w.store.Snapshot().Version
	for _, o := range w.doc.operations {
		for _, n := range w.doc.nodes(o) {
			if n.in != "body" || !n.schema.is("object") || n.schema.Additional.schema != nil || len(n.schema.Properties) == 0 {
				continue
			}
			objects++
			var foreign []string
			for _, column := range columns {
				if n.schema.Properties[column] == nil {
					foreign = append(foreign, column)
				} else if place := o.String() + " " + n.location() + "." + column; slices.Contains(systemColumns, column) && systemMembers[place] == "" {
					t.Errorf("%s may be written, which is the system's", place)
				}
			}
			fields += len(foreign)
			w.assign(o, n, foreign)
		}
	}
	if now := w.store.Snapshot().Version; now != version {
		t.Errorf("the configuration went from version %d to %d", version, now)
	}
	if fields < 600 {
		t.Error("too few fields were tried:", fields)
	}
	t.Logf("%d names in %d objects: %d members", len(columns), objects, fields)
}

// assign gives the object at n members that it does not have, in one request: each is named.
func (w *fullWorld) assign(o *operation, n *node, columns []string) {
	c := call{op: o, path: w.fill(o), token: w.tokens[point.RoleOwner]}
	if list := w.bodies(o); len(list) > 0 {
		c.body = list[0]
	}
	for _, column := range columns {
		c.body = w.doc.with(o, c.body, &node{in: "body", way: append(slices.Clone(n.way), column)}, "x")
	}
	a := w.send(c.request())
	var p Problem
	a.into(w.t, &p)
	for _, column := range columns {
		place := n.location() + "." + column
		if a.status != http.StatusUnprocessableEntity || !slices.ContainsFunc(p.Errors, func(f ProblemField) bool { return f.Location == place }) {
			w.t.Errorf("%s takes %s: %d %.300s", o, place, a.status, a.body)
		}
	}
}
