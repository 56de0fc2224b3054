package dialect

import (
	"regexp"
	"slices"
	"strconv"
)

// names are what a client calls the parts of the chat that its request was told as: errors name
// fields as the client sent them.
type names struct {
	members  map[string]string // of the chat
	messages []string          // where each message comes from
	tools    []string          // and each tool
}

// chatPart is how errors name a part of a chat: a member, with an index behind it if it is a list.
var chatPart = regexp.MustCompile(`^([a-z_]+)(?:\.?\[?([0-9]+)\]?)?`)

// mediaParts are parts of some message of the chat that errors name without it.
var mediaParts = []string{"image_url", "input_audio", "file"}

// field is the client's name of a part of the chat, empty if it has none of its own.
func (n *names) field(param string) string {
	found := chatPart.FindStringSubmatch(param)
	if found == nil {
		return ""
	}
	list := map[string][]string{"messages": n.messages, "tools": n.tools}[found[1]]
	if i, err := strconv.Atoi(found[2]); err == nil && i < len(list) {
		return list[i]
	}
	if slices.Contains(mediaParts, found[1]) {
		return n.members["messages"]
	}
	return n.members[found[1]]
}
