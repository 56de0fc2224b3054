package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"point"
	"point/store"
)

const (
	eventCheck = time.Second      // how long a session that has ended may go on reading
	eventPing  = 15 * time.Second // a comment this often keeps the connection open
	eventWrite = 10 * time.Second // a reader that takes nothing for so long is left
)

// streamEvents sends every record as it settles, until the reader leaves or may read no
// more: then it comes back with a new access token. A process that stops ends the records.
func (a *API) streamEvents(ctx context.Context, _ *none) (*huma.StreamResponse, error) {
	if a.Events == nil {
		return nil, notHere("the gateway")
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		r, w := humago.Unwrap(ctx)
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		w.WriteHeader(http.StatusOK)
		stream := eventStream{api: a, reader: who(r.Context()), route: ctx.Operation(), out: w, control: http.NewResponseController(w)}
		stream.run(r.Context())
	}}, nil
}

type eventStream struct {
	api     *API
	reader  *principal
	route   *huma.Operation
	own     ownKeys
	out     http.ResponseWriter
	control *http.ResponseController
}

func (s *eventStream) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	records := s.api.Events.Subscribe(ctx)
	check, ping := time.NewTicker(eventCheck), time.NewTicker(eventPing)
	defer check.Stop()
	defer ping.Stop()
	if !s.write(": open\n\n") {
		return
	}
	for {
		ok := true
		select {
		case <-ctx.Done():
			return
		case record, open := <-records:
			ok = open && s.api.stillMay(s.reader, s.route)
			if ok && s.own.reaches(s.reader, s.api.Store.Snapshot(), record.KeyID) {
				ok = s.send(ctx, &record)
			}
		case <-check.C:
			ok = s.api.stillMay(s.reader, s.route)
		case <-ping.C:
			ok = s.write(": ping\n\n")
		}
		if !ok {
			return
		}
	}
}

// ownKeys are the ids of the keys of a reader who sees only what is theirs, as they were at a
// version of the configuration.
type ownKeys struct {
	version int64
	ids     map[string]bool
}

// reaches reports whether a reader may see a record of a key.
func (o *ownKeys) reaches(reader *principal, s *point.Snapshot, keyID string) bool {
	if reader.scope == store.All() {
		return true
	}
	if o.version != s.Version {
		o.version, o.ids = s.Version, map[string]bool{}
		for _, k := range s.Keys {
			if k.OwnerID == reader.user.ID {
				o.ids[k.ID] = true
			}
		}
	}
	return o.ids[keyID]
}

// send writes one record as an event.
func (s *eventStream) send(ctx context.Context, record *point.Record) bool {
	snapshot := s.api.Store.Snapshot()
	named := names{keys: keyNames(snapshot), providers: map[string]string{}}
	if p, ok := snapshot.Providers[record.ProviderID]; ok {
		named.providers[p.ID] = p.Name
	}
	data, err := json.Marshal(named.shape(record))
	if err != nil {
		s.api.Log.ErrorContext(ctx, "api: a record could not be sent as an event", "id", record.ID, "error", err)
		return true
	}
	return s.write("event: request\nid: " + record.ID + "\ndata: " + string(data) + "\n\n")
}

// write sends text at once, and reports whether the reader still takes it.
func (s *eventStream) write(text string) bool {
	_ = s.control.SetWriteDeadline(time.Now().Add(eventWrite)) // not every connection has one
	if _, err := s.out.Write([]byte(text)); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
