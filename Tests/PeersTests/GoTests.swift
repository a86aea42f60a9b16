import Peers
import Testing
import Workloads

@Suite("Go peers") struct GoTests {
    /// scripts/test installs one; elsewhere these tests are skipped visibly.
    private static let toolchains = GoToolchain.installed()

    @Test(.enabled(if: !toolchains.isEmpty, "golang-go is not installed"))
    func everyVersionIsListedOnce() {
        #expect(Set(Self.toolchains.map(\.version)).count == Self.toolchains.count)
    }

    @Test(.enabled(if: !toolchains.isEmpty, "golang-go is not installed"))
    func everyVersionBuildsAndAnswers() throws {
        for toolchain in Self.toolchains {
            let driver = try toolchain.program(.growth).converse()
            let times = try driver.numbers("grow 100 100", atLeast: 2)
            #expect(times[0] > 0 && times[1] > 0, "\(toolchain.version)")
        }
    }

    @Test(.enabled(if: !toolchains.isEmpty, "golang-go is not installed"))
    func anUnknownOperationIsAnError() throws {
        let driver = try Self.toolchains[0].program(.growth).converse()
        #expect(throws: PeerFailure.self) { try driver.ask("dance 1") }
        #expect(throws: PeerFailure.self) { try driver.ask("grow x 1") }
    }

    @Test func aFolderWithoutGoHasNone() {
        let environment = CodeEnvironment(searchPath: "/nonexistent", cacheFolder: "/nonexistent")
        for toolchain in GoToolchain.installed(environment: environment) {
            // Debian's and the one of go.dev's archive are found wherever the search path leads.
            #expect(toolchain.command.hasPrefix("/usr/"))
        }
    }
}
