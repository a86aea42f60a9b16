// Whose code an address is: by what the process resolves names to, by the function, by the library.
import CShim
import Glibc
import Testing

private let here: @convention(c) () -> Void = {}

@Suite struct CodeOwnerTests {
    init() throws { try #require(fl_initialize() == 0) }

    @Test(
        arguments: [
            "malloc", "free", "_Znwm", "pthread_mutex_lock", "__cxa_throw", "_Unwind_RaiseException", "printf", "qsort",
            "swift_retain", "swift_allocObject", "swift_getGenericMetadata",
            "$ss5print_9separator10terminatoryypd_S2StF",  // locks standard output
            "$ss10debugPrint_9separator10terminator2toyypd_S2Sxzts16TextOutputStreamRzlF",  // may do so
            "$ss4dump_2to4name6indent8maxDepth0E5Itemsxx_q_zSSSgS3its16TextOutputStreamR_r0_lF",
            "$sSMsSkRzrlE4sort2byySb7ElementSTQz_ADtKXE_tKF",  // moves the user's elements
        ])
    func whatHoldsALockIsNeverAbandoned(_ name: String) throws {
        let address = UInt(bitPattern: try #require(dlsym(nil, name), "\(name) is missing"))
        #expect(fl_code_owner_of(address) == .FL_CODE_NO_ABANDON)
    }

    @Test(
        arguments: [
            "swift_release", "swift_arrayDestroy", "$sSTsE6sorted2bySay7ElementQzGSbAD_ADtKXE_tKF",
            "$ss26DefaultStringInterpolationV06appendC0yyxlF", "$sSTsE7forEachyyy7ElementQzKXEKF",
        ])
    func whatHoldsNothingMayBeAbandoned(_ name: String) throws {
        let address = UInt(bitPattern: try #require(dlsym(nil, name), "\(name) is missing"))
        #expect(fl_code_owner_of(address) == .FL_CODE_USER)
    }

    @Test func theUsersCodeMayBeAbandonedAndWhatNoObjectHoldsMayNot() {
        #expect(fl_code_owner_is_known())
        #expect(fl_code_owner_of(UInt(bitPattern: unsafeBitCast(here, to: Int.self))) == .FL_CODE_USER)
        #expect(fl_code_owner_of(1) == .FL_CODE_UNKNOWN)
        #expect(fl_code_owner_of(.max) == .FL_CODE_UNKNOWN)
    }
}
