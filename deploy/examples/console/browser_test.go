//go:build browser

package console

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browser is one tab.
type browser struct {
	t   *testing.T
	ctx context.Context
	sys *system
}

// mustBrowse starts a browser that ends with the test.
func mustBrowse(t *testing.T, s *system) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // without a deadline: it would be the browser's
		t.Fatalf("start a browser: %v", err)
	}
	return &browser{t, ctx, s}
}

func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text("body"))
	}
}

// text is what can be read in an element; empty when there is none.
func (b *browser) text(selector string) string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS(selector)))
	return text
}

// attribute returns an attribute of the first element that fits.
func (b *browser) attribute(selector, name string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	a, err := chromedp.Run(ctx, chromedp.AttributeValue(chromedp.CSS(selector), name))
	if err != nil || !a.Exists {
		b.t.Fatalf("%s of %s: %v", name, selector, err)
	}
	return a.Value
}

func (b *browser) open(path string) {
	b.t.Helper()
	b.do("open "+path, chromedp.Navigate(b.sys.Admin+path), chromedp.WaitVisible(chromedp.CSS("main")))
}

// click follows what is clicked to the page behind it.
func (b *browser) click(selector, then string) {
	b.t.Helper()
	b.do("click "+selector, chromedp.Click(chromedp.CSS(selector)), chromedp.WaitVisible(chromedp.CSS(then)))
}

func (b *browser) login() {
	b.t.Helper()
	b.open("/")
	b.do("log in", chromedp.SendKeys(chromedp.CSS("#token"), b.sys.Token), chromedp.Click(chromedp.CSS(".gate button")), chromedp.WaitVisible(chromedp.CSS("nav")))
}

// scripts switches JavaScript on and off.
func (b *browser) scripts(on bool) {
	b.t.Helper()
	b.do("switch scripts", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

// device is what a page is looked at with.
type device struct {
	width  int64
	scheme string
}

func devices() []device {
	return []device{{1280, "light"}, {1280, "dark"}, {390, "light"}, {390, "dark"}}
}

func (b *browser) use(d device) {
	b.t.Helper()
	b.do("change the device", chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: d.width, Height: 900, DeviceScaleFactor: 1, Mobile: d.width < 600,
		})
		if err != nil {
			return err
		}
		_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: d.scheme}}, //nolint:misspell // it is spelt so
		})
		return err
	}))
}
