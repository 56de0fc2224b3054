// Package point is the vocabulary of Point, a self-hosted AI gateway: the words that its
// parts say to each other. It imports the standard library alone and does no I/O.
//
// A request's way through Point, and the type that stands for each step:
//
//	client -> adapter     Call      what was asked, by whom, on which Snapshot
//	adapter -> routing    Plan      the ordered Targets, with the reason for each
//	routing -> gateway    Reply     one Target's answer, as a sequence of Blocks
//	gateway -> client     Block     bytes in the client's dialect
//	adapter -> monitor    Record    what happened, settled once
package point
