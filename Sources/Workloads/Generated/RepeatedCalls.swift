// Programs in C that are made here and do the same again and again.
//
// They are compiled for size, because functions then begin at any address: at multiples of 16 a check would move all
// that follows by the same bytes within a line of the cache in every layout, which alone is worth more than the check.

extension CodeSource {
    /// The program `name`, which does `round` as often as its parameter says, after `preparation`. Its result is the
    /// variable `sum`, zero at first.
    ///
    /// - Parameter functions: What these call.
    static func repeating(
        _ round: String, _ name: String, functions: String, after preparation: String = ""
    ) -> CodeSource {
        // Functions of many lengths that are never called, so that another order of functions means other addresses.
        let others = (1...24).map { index in
            """
            __attribute__((used)) static void other\(index)(void) {
                __asm__ volatile(".rept \(index * 37 % 101)\\n nop\\n .endr");
            }
            """
        }.joined(separator: "\n")
        let text = """
            #include "kernel.h"

            \(others)

            \(functions)

            uint64_t fl_\(name)_run(
                const uint8_t *input, size_t length, uint64_t parameter, fl_workload_outcome *outcome) {
                uint64_t sum = 0;
                (void)input;
                (void)length;
                (void)outcome;
                \(preparation)
                for (uint64_t round = 0; round < parameter; round++) \(round)
                return sum;
            }

            """
        return CodeSource(
            name: name, language: .c, symbol: "fl_\(name)_run",
            files: EmbeddedFile.headers + [EmbeddedFile(name: "\(name).c", bytes: Array(text.utf8))],
            flags: ["-Os"], builtin: nil)
    }
}
