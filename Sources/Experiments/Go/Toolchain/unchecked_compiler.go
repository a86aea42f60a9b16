// Which functions have a stack check in what this toolchain compiles. This file and the constants at its end are added
// by Faultline.

package x86

import (
	"cmd/internal/obj"
	"cmd/internal/sys"
	"strings"
)

// hasStackCheck reports whether a function keeps its check.
func hasStackCheck(ctxt *obj.Link, function *obj.LSym, frame int32) bool {
	if ctxt.Arch.Family != sys.AMD64 || frame > largestUncheckedFrame {
		return true
	}
	for _, name := range strings.Fields(checkedFunctions) {
		if function.Name == name {
			return true
		}
	}
	for _, prefix := range strings.Fields(checkedPackages) {
		if strings.HasPrefix(function.Name, prefix) {
			return true
		}
	}
	return false
}
