package point

import (
	"net/http"
	"time"
)

// CachedAnswer is a whole answer that was kept for requests that are equal. It is immutable.
type CachedAnswer struct {
	Stored     time.Time
	ProviderID string // of who gave it
	Model      string // as that provider knows it
	Status     int
	Header     http.Header // its Content-Type, if the provider said one
	Stream     bool
	Dropped    []string
	Blocks     []Block // as the client got them, without usage and cost
	Size       int64   // bytes of the blocks
}
