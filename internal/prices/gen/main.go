// Command gen writes ../models.jsonl: context windows and abilities of models, from the
// catalogue of charm.land/catwalk. Its prices are not used.
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"charm.land/catwalk/pkg/embedded"
)

type line struct {
	Provider  string `json:"provider"`
	ID        string `json:"id"`
	Context   int64  `json:"context,omitempty"`
	MaxOutput int64  `json:"max_output,omitempty"`
	Reasoning bool   `json:"reasoning,omitempty"`
	Images    bool   `json:"images,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var lines []line
	for _, p := range embedded.GetAll() {
		for _, m := range p.Models {
			lines = append(lines, line{string(p.ID), m.ID, m.ContextWindow, m.DefaultMaxTokens, m.CanReason, m.SupportsImages})
		}
	}
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.ID, b.ID))
	})
	out, err := os.Create("../models.jsonl")
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	for _, l := range lines {
		if err := encoder.Encode(l); err != nil {
			return err
		}
	}
	return out.Close()
}
