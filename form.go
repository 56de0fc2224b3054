package point

import "io"

// Form is a request body of multipart/form-data: its parts in the order in which they came.
type Form struct {
	Parts []Part
}

// Part is one part of a Form: a field, or a file.
type Part struct {
	Name     string
	Filename string // empty: a field
	Type     string // Content-Type of a file, empty if it did not say
	Value    []byte // of a field
	Size     int64  // of a file, in bytes

	// Open reads a file from its start; it may be called more than once, until the call is settled.
	Open func() io.ReadCloser
}

// Length is how many bytes the parts hold.
func (f *Form) Length() (n int64) {
	for i := range f.Parts {
		n += int64(len(f.Parts[i].Value)) + f.Parts[i].Size
	}
	return n
}

// Values are the fields of a name, in order.
func (f *Form) Values(name string) (list []string) {
	for i := range f.Parts {
		if p := &f.Parts[i]; p.Name == name && p.Filename == "" {
			list = append(list, string(p.Value))
		}
	}
	return list
}

// Value is the first field of a name, empty if there is none, or no form.
func (f *Form) Value(name string) string {
	if f == nil {
		return ""
	}
	for i := range f.Parts {
		if p := &f.Parts[i]; p.Name == name && p.Filename == "" {
			return string(p.Value)
		}
	}
	return ""
}
