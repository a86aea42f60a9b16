// Functions of the Swift runtime and standard library whose frames may be abandoned, though their library may not.
//
// They call the user's code, recursion goes through them, and while they do they hold no lock and have nothing half
// made that outlives their frames. Each was read (Swift 6.3). One that is missing from a library, and what the list
// leaves out, is only not abandoned: there an overflow ends the coroutine later, or at the hard limit.
//
// What is not exported has no name to look for. It is found where an exported function is nothing but a call of it, and
// on the ways to an object's deinit and to a value's text, by going them.
#include "shim_code.h"

#include "runtime_code.h"

#include "../Switch/src/swift_task_local.h"
#include "code_owner.h"
#include "dynamic_symbols.h"
#include "loaded_object.h"
#include "unwind_plain.h"
#include "unwind_rules.h"

static const char *const abandonable[] = {
    // Sequences: what they are making is theirs.
    "$sSTsE3mapySayqd__Gqd__7ElementQzKXEKlF",
    "$sSlsE3mapySayqd__Gqd__7ElementQzKXEKlF",
    "$sSTsE7forEachyyy7ElementQzKXEKF",
    "$sSTsE6filterySay7ElementQzGSbACKXEKF",
    "$sSTsE7_filterySay7ElementQzGSbACKXEKF",
    "$ss14_ArrayProtocolPsE6filterySay7ElementQzGSbAEKXEKF",
    "$sSTsE6reduceyqd__qd___qd__qd___7ElementQztKXEtKlF",
    "$sSTsE6reduce4into_qd__qd__n_yqd__z_7ElementQztKXEtKlF",
    "$sSTsE10compactMapySayqd__Gqd__Sg7ElementQzKXEKlF",
    "$sSTsE11_compactMapySayqd__Gqd__Sg7ElementQzKXEKlF",
    "$sSTsE7flatMapySay7ElementQyd__Gqd__ABQzKXEKSTRd__lF",
    "$sSTsE7flatMapySayqd__Gqd__Sg7ElementQzKXEKlF",
    "$sSTsE8contains5whereS2b7ElementQzKXE_tKF",
    "$sSTsE5first5where7ElementQzSgSbADKXE_tKF",
    "$sSlsE10firstIndex5where0B0QzSgSb7ElementQzKXE_tKF",
    "$sSKsE4last5where7ElementQzSgSbADKXE_tKF",
    "$sSKsE9lastIndex5where0B0QzSgSb7ElementQzKXE_tKF",
    "$sSTsE10allSatisfyyS2b7ElementQzKXEKF",
    "$sSTsE3max2by7ElementQzSgSbAD_ADtKXE_tKF",
    "$sSTsE3min2by7ElementQzSgSbAD_ADtKXE_tKF",
    "$ss15LazyMapSequenceV8IteratorV4nextq_SgyF",
    "$ss18LazyFilterSequenceV8IteratorV4next7ElementQzSgyF",
    "$sSq3mapyqd__Sgqd__xKXEKlF",
    "$sSq7flatMapyqd__SgABxKXEKlF",
    // `sorted` sorts a copy. `sort` moves the elements of the user's array, so it is not here.
    "$sSTsE6sorted2bySay7ElementQzGSbAD_ADtKXE_tKF",
    "$sSr15_stableSortImpl2byySbx_xtKXE_tKF",
    "$sSMsSKRzrlE14_insertionSort6within9sortedEnd2byySny5IndexSlQzG_AFSb7ElementSTQz_AItKXEtKF",
    "$ss12_findNextRun2in4from2by5IndexQz3end_Sb10descendingtx_AFSb7ElementQz_AJtKXEtKSkRzlF",
    "$sSr13_mergeTopRuns_6buffer2bySbSaySnySiGGz_SpyxGSbx_xtKXEtKF",
    "$sSr10_mergeRuns_2at6buffer2bySbSaySnySiGGz_SiSpyxGSbx_xtKXEtKF",
    "$sSr13_finalizeRuns_6buffer2bySbSaySnySiGGz_SpyxGSbx_xtKXEtKF",
    "$ss6_merge3low3mid4high6buffer2bySbSpyxG_A3GSbx_xtKXEtKlF",
    // Access to memory that the caller keeps alive.
    "$sSMsE39withContiguousMutableStorageIfAvailableyqd__Sgqd__Sry7ElementQzGzKXEKlF",
    "$sSR15withUnsafeBytesyqd__qd__SWKXEKlF",
    "$sSR32withContiguousStorageIfAvailableyqd__Sgqd__SRyxGKXEKlF",
    "$sSS15withUnsafeBytesyxxSWKXEKlF",
    "$sSS8UTF8ViewV32withContiguousStorageIfAvailableyxSgxSRys5UInt8VGKXEKlF",
    "$sSTsE32withContiguousStorageIfAvailableyqd__Sgqd__SRy7ElementQzGKXEKlF",
    "$sSW15withUnsafeBytesyxxSWKXEKlF",
    "$sSa15withUnsafeBytesyqd__qd__SWKXEKlF",
    "$sSa22withUnsafeMutableBytesyqd__qd__SwKXEKlF",
    "$sSa23withUnsafeBufferPointeryqd__qd__SRyxGKXEKlF",
    "$sSa30withUnsafeMutableBufferPointeryqd__qd__SryxGzKXEKlF",
    "$sSa32withContiguousStorageIfAvailableyqd__Sgqd__SRyxGKXEKlF",
    "$sSa39withContiguousMutableStorageIfAvailableyqd__Sgqd__SryxGzKXEKlF",
    "$sSr15withUnsafeBytesyqd__qd__SWKXEKlF",
    "$sSr32withContiguousStorageIfAvailableyqd__Sgqd__SRyxGKXEKlF",
    "$sSr39withContiguousMutableStorageIfAvailableyqd__Sgqd__SryxGzKXEKlF",
    "$sSw15withUnsafeBytesyxxSWKXEKlF",
    "$ss10ArraySliceV15withUnsafeBytesyqd__qd__SWKXEKlF",
    "$ss10ArraySliceV22withUnsafeMutableBytesyqd__qd__SwKXEKlF",
    "$ss10ArraySliceV23withUnsafeBufferPointeryqd__qd__SRyxGKXEKlF",
    "$ss10ArraySliceV30withUnsafeMutableBufferPointeryqd__qd__SryxGzKXEKlF",
    "$ss10ArraySliceV32withContiguousStorageIfAvailableyqd__Sgqd__SRyxGKXEKlF",
    "$ss10ArraySliceV39withContiguousMutableStorageIfAvailableyqd__Sgqd__SryxGzKXEKlF",
    "$ss15ContiguousArrayV04withA18StorageIfAvailableyqd__Sgqd__SRyxGKXEKlF",
    "$ss15ContiguousArrayV04withA25MutableStorageIfAvailableyqd__Sgqd__SryxGzKXEKlF",
    "$ss15ContiguousArrayV15withUnsafeBytesyqd__qd__SWKXEKlF",
    "$ss15ContiguousArrayV22withUnsafeMutableBytesyqd__qd__SwKXEKlF",
    "$ss15ContiguousArrayV23withUnsafeBufferPointeryqd__qd__SRyxGKXEKlF",
    "$ss15ContiguousArrayV30withUnsafeMutableBufferPointeryqd__qd__SryxGzKXEKlF",
    "$sSS11withCStringyxxSPys4Int8VGKXEKlF",
    "$sSS11withCString9encodedAs_xq_m_xSPy8CodeUnitQy_GKXEtKs16_UnicodeEncodingR_r0_lF",
    // Text of values: appended to a string of the caller's. `print` locks standard output, so it is not here.
    "$sSS10describingSSx_tclufC",
    "$sSS10describingSSx_tcs20TextOutputStreamableRzlufC",
    "$sSS10describingSSx_tcs23CustomStringConvertibleRzlufC",
    "$sSS10describingSSx_tcs23CustomStringConvertibleRzs20TextOutputStreamableRzlufC",
    "$sSS10reflectingSSx_tclufC",
    "$ss15_print_unlockedyyx_q_zts16TextOutputStreamR_r0_lF",
    "$ss20_debugPrint_unlockedyyx_q_zts16TextOutputStreamR_r0_lF",
    "$ss26DefaultStringInterpolationV06appendC0yyxlF",
    "$ss26DefaultStringInterpolationV06appendC0yyxs06CustomB11ConvertibleRzlF",
    "$ss26DefaultStringInterpolationV06appendC0yyxs06CustomB11ConvertibleRzs20TextOutputStreamableRzlF",
    "$ss26DefaultStringInterpolationV06appendC0yyxs20TextOutputStreamableRzlF",
    "$sSq16debugDescriptionSSvg",
    "$sSa11descriptionSSvg",
    "$sSa16debugDescriptionSSvg",
    "$sSD11descriptionSSvg",
    "$sSD16debugDescriptionSSvg",
    "$sSh11descriptionSSvg",
    "$sSh16debugDescriptionSSvg",
    "$ss10ArraySliceV11descriptionSSvg",
    "$ss10ArraySliceV16debugDescriptionSSvg",
    "$ss15ContiguousArrayV11descriptionSSvg",
    "$ss15ContiguousArrayV16debugDescriptionSSvg",
    // The end of an object: its count is zero, so that none but these frames can reach it.
    "swift_release",
    "swift_release_n",
    "swift_bridgeObjectRelease",
    "swift_arrayDestroy",
    "$ss23_ContiguousArrayStorageCfD",
    "$ss18_DictionaryStorageCfD",
    "$ss18_DictionaryStorageCfd",
    "$ss11_SetStorageCfD",
    "$ss11_SetStorageCfd",
};

// Of the concurrency library: a binding of TaskLocal is ended where the overflow is contained (bindings.c of the
// switch).
static const char *const binding[] = {"$ss9TaskLocalC9withValue_9operation4file4lineqd__x_qd__yKXESSSutKlF"};

/// Whether `address` is in a library of the Swift runtime, rather than in an executable that it is linked into.
static bool is_in_runtime(uintptr_t address) {
    fl_loaded_object object;
    return fl_loaded_object_of(address, &object) && !object.is_executable && fl_code_at(address).keeps_frame_pointer;
}

// Tells `found` each function of the runtime between the frame at `frame_address`, below at most `foreign` others that
// are not the runtime's, and the code that called the runtime.
static void go_back(uintptr_t frame_address, unsigned foreign, void (*found)(fl_code_range function)) {
    enum { FRAMES = 16, REACH = 32 << 10 };
    // The other registers are of no use to frames of Swift code and the runtime.
    fl_unwind_registers registers = {.rip = *(const uintptr_t *)(frame_address + FL_WORD),
                                     .rsp = frame_address + 2 * FL_WORD,
                                     .rbp = *(const uintptr_t *)frame_address};
    fl_unwind_cache cache;
    memset(&cache, 0, sizeof cache);
    for (unsigned i = 0, others = 0; i < FRAMES; i++) {
        uintptr_t address = registers.rip - 1;
        bool is_runtime = is_in_runtime(address);
        if (!is_runtime && (others < i || others == foreign)) return;
        others += !is_runtime;
        fl_loaded_object object;
        fl_unwind_frame frame;
        if (!fl_loaded_object_of(address, &object)) return;
        fl_unwind_result result = fl_unwind_step(&registers, &frame, &cache, frame_address, frame_address + REACH);
        if (result != FL_UNWIND_STEPPED) return;
        if (is_runtime) found(fl_function_of(&object.unwind, address));
    }
}

// MARK: The way to a value's text

enum { MAX_LOCKING = 16 };
static fl_code_range locking[MAX_LOCKING];
static uint32_t locking_count;

static void may_lock(fl_code_range function) {
    if (locking_count < MAX_LOCKING) locking[locking_count++] = function;
}

static void locks_nothing(fl_code_range function) {
    for (uint32_t i = 0; i < locking_count; i++) {
        if (locking[i].low == function.low) return;
    }
    if (locking_count < MAX_LOCKING) fl_code_owner_may_abandon(function); // else one may be missing there
}

void fl_runtime_code_asked(bool stream_may_lock) {
    enum { GETTER_AND_WITNESS = 3 };
    go_back((uintptr_t)__builtin_frame_address(0), GETTER_AND_WITNESS, stream_may_lock ? may_lock : locks_nothing);
}

// MARK: The way from a release to a deinit

// The functions between `swift_release` and an object's deinit are not exported, so they are found by going that way
// with an object of our own. Its metadata is what a compiler makes for the context of a closure.

extern void *swift_allocObject(const void *metadata, size_t size, size_t alignment_mask) __attribute__((weak));
extern void swift_deallocObject(void *object, size_t size, size_t alignment_mask) __attribute__((weak));
extern void swift_release(void *object) __attribute__((weak));

enum { OBJECT_SIZE = 2 * sizeof(void *), ALIGNMENT_MASK = 2 * sizeof(void *) - 1 };

static void *_Nullable released;

// Called by the runtime in place of a deinit.
static void destroy(void) {
    go_back((uintptr_t)__builtin_frame_address(0), 0, fl_code_owner_may_abandon);
    swift_deallocObject(released, OBJECT_SIZE, ALIGNMENT_MASK);
}

static void find_release(void) {
    enum { HEAP_LOCAL_VARIABLE = 0x400 }; // swift/ABI/MetadataKind.def
    static const struct {
        const void *_Nullable layout;
        void (*destroy)(void);
        const void *_Nullable value_witnesses;
        uintptr_t kind;
        uint32_t offset_to_first_capture;
        const void *_Nullable captures;
    } metadata = {.destroy = destroy, .kind = HEAP_LOCAL_VARIABLE, .offset_to_first_capture = OBJECT_SIZE};
    if (!swift_allocObject || !swift_deallocObject || !swift_release || !is_in_runtime((uintptr_t)swift_release))
        return;
    released = swift_allocObject(&metadata.kind, OBJECT_SIZE, ALIGNMENT_MASK);
    swift_release(released);
}

// MARK: By name

// The first of the function that `function` is nothing but a call of, or a jump to; 0 where it is more than that. The
// compiler leaves such a rest of a function whose code another one has, too.
static uintptr_t substance(fl_code_range function) {
    static const uint8_t enter[] = {0x55, 0x48, 0x89, 0xe5}, leave[] = {0x5d, 0xc3};
    enum { CALL = 0xe8, LEAVE = 0x5d, JUMP = 0xe9 };
    const uint8_t *code = (const uint8_t *)function.low, *at = code + sizeof enter;
    int32_t distance;
    uintptr_t length = function.high - function.low, frame = sizeof enter + 1 + sizeof distance;
    if (length < frame + 1 || memcmp(code, enter, sizeof enter) != 0) return 0;
    bool calls = length == frame + sizeof leave && at[0] == CALL && !memcmp(at + 1 + sizeof distance, leave, 2);
    bool jumps = length == frame + 1 && at[0] == LEAVE && at[1] == JUMP;
    if (!calls && !jumps) return 0;
    at += calls ? 1 : 2;
    memcpy(&distance, at, sizeof distance);
    return (uintptr_t)(at + sizeof distance) + (uintptr_t)(intptr_t)distance;
}

// Those of the names that the library of `address` defines.
static void find(uintptr_t address, const char *const *names, size_t count) {
    fl_loaded_object library;
    if (!address || !is_in_runtime(address) || !fl_loaded_object_of(address, &library)) return;
    for (size_t i = 0; i < count; i++) {
        bool has_table;
        fl_code_range function = fl_dynamic_symbol(&library, names[i], &has_table);
        // Each step leads to other code, or ends: what calls itself alone does not end.
        for (unsigned steps = 0; steps < 4 && function.low < function.high; steps++) {
            fl_code_owner_may_abandon(function);
            uintptr_t other = substance(function);
            function = other ? fl_function_of(&library.unwind, other) : (fl_code_range){0, 0};
            if (function.low != other) break;
        }
    }
}

void fl_runtime_code_find(void) {
    find((uintptr_t)swift_release, abandonable, sizeof abandonable / sizeof *abandonable);
    find((uintptr_t)swift_task_localValuePush, binding, sizeof binding / sizeof *binding);
    find_release();
}

#pragma clang attribute pop
