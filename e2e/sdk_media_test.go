package e2e

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
)

// TestSDKSpeech: what is said comes as sound, whole and as it is.
func TestSDKSpeech(t *testing.T) {
	reply, err := sdk(point(t)).Audio.Speech.New(t.Context(), openai.AudioSpeechNewParams{
		Model: "demo-openai/gpt-4o-mini-tts", Input: "Good morning to you", Voice: openai.AudioSpeechNewParamsVoiceUnion{OfString: param.NewOpt("alloy")},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	sound, err := io.ReadAll(reply.Body)
	if err != nil || reply.Header.Get("Content-Type") != "audio/wav" || !bytes.HasPrefix(sound, []byte("RIFF")) || len(sound) != 44+4*800 {
		t.Errorf("%v, %s, %d bytes", err, reply.Header.Get("Content-Type"), len(sound))
	}
}

// TestSDKTranscription: a file goes up and its text comes back, whole, streamed and as plain text.
func TestSDKTranscription(t *testing.T) {
	client := sdk(point(t))
	file := func() io.Reader {
		return openai.File(bytes.NewReader(make([]byte, 400_000)), "talk.mp3", "audio/mpeg")
	}
	const want = "This is what talk.mp3 says in 400000 bytes."
	reply, err := client.Audio.Transcriptions.New(t.Context(), openai.AudioTranscriptionNewParams{Model: "demo-openai/gpt-4o-transcribe", File: file()})
	if err != nil || reply.Text != want {
		t.Errorf("%v %+v", err, reply)
	}
	stream := client.Audio.Transcriptions.NewStreaming(t.Context(), openai.AudioTranscriptionNewParams{Model: "demo-openai/gpt-4o-transcribe", File: file()})
	var text strings.Builder
	var last string
	for stream.Next() {
		text.WriteString(stream.Current().Delta)
		last = stream.Current().Type
	}
	if stream.Err() != nil || text.String() != want || last != "transcript.text.done" {
		t.Errorf("%v %q %s", stream.Err(), text.String(), last)
	}
	translated, err := client.Audio.Translations.New(t.Context(), openai.AudioTranslationNewParams{Model: "demo-openai/whisper-1", File: file()})
	if err != nil || translated.Text != want {
		t.Errorf("%v %+v", err, translated)
	}
}

// TestSDKImageEdit: a picture goes up and another comes back.
func TestSDKImageEdit(t *testing.T) {
	reply, err := sdk(point(t)).Images.Edit(t.Context(), openai.ImageEditParams{
		Model: "gpt-image-1", Prompt: "make it blue",
		Image: openai.ImageEditParamsImageUnion{OfFile: openai.File(strings.NewReader("png"), "a.png", "image/png")},
	})
	if err != nil || len(reply.Data) != 1 || reply.Data[0].B64JSON == "" || reply.Usage.OutputTokens != 272 {
		t.Errorf("%v %+v", err, reply)
	}
}

// TestSDKImageStream: an image that is streamed comes in parts.
func TestSDKImageStream(t *testing.T) {
	stream := sdk(point(t)).Images.GenerateStreaming(t.Context(), openai.ImageGenerateParams{Model: "gpt-image-1", Prompt: "a house"})
	var types []string
	for stream.Next() {
		types = append(types, stream.Current().Type)
	}
	if stream.Err() != nil || strings.Join(types, " ") != "image_generation.partial_image image_generation.completed" {
		t.Errorf("%v %v", stream.Err(), types)
	}
}

// TestSDKModeration: no model need be named.
func TestSDKModeration(t *testing.T) {
	reply, err := sdk(point(t)).Moderations.New(t.Context(), openai.ModerationNewParams{
		Input: openai.ModerationNewParamsInputUnion{OfStringArray: []string{"flowers", "violence"}},
		Model: "demo-openai/omni-moderation-latest",
	})
	if err != nil || len(reply.Results) != 2 || reply.Results[0].Flagged || !reply.Results[1].Flagged {
		t.Errorf("%v %+v", err, reply)
	}
}
