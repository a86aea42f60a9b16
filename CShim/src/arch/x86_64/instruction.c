/// Finds the memory operand of one x86-64 instruction, for the fault handler's facts.
///
/// The decoder answers three questions only: how long is the instruction, does it touch memory, and where. It does not
/// know operand widths or mnemonics. Its invariant: an address that it returns is the address the processor uses;
/// whatever it is not sure of is FL_ACCESS_UNKNOWN. Encodings that raise #UD may decode as anything, because SIGILL
/// never reaches the classification.
///
///     [legacy prefixes] [REX | VEX | EVEX] [escape] opcode [ModRM [SIB] [displacement]] [immediate]
///
/// An opcode is looked up in a map of 256 characters, one per opcode, each a form:
///
///     .  nothing follows, no memory            M  ModRM                    p  push of a register    l  leave
///     i  8-bit immediate or offset             I  ModRM, 8-bit immediate   P  push of 8 bits        e  enter
///     z  16- or 32-bit immediate               Z  ModRM, immediate as z    Q  push of z             X  xlat
///     v  16-, 32- or 64-bit immediate          N  ModRM, never accessed    o  pop, ret              O  64-bit offset
///     r  32-bit branch offset                  R  ModRM, always registers  t  ret with a count      k  maskmov
///     c  call with such an offset              G  ModRM selects the form   S  string source
///     ?  not decoded                           B  ModRM, bit string        D  string destination    T  both
///
/// Forms that only a group (G) yields: C call, U push, W pop, each of the ModRM operand.
///
/// Choices that callers rely on:
///   * call, push and pop of a memory operand are FL_ACCESS_MEMORY at that operand, with `second_is_stack`.
///   * movs and cmps touch two places: the one at rdi is returned, unless it is canonical and the one at rsi is not
///     (then the latter is what faults). Their page fault address tells which of the two it was. With fs or gs, which
///     applies to rsi alone, they are unknown.
///   * A prefix fs or gs counts even where another segment prefix follows, on which disassemblers differ.
///   * enter returns its first store; with a large frame its last probe lies further down.
///   * bt, bts, btr and btc with a register offset return the word that holds the bit, not the base of the string.
///   * Masked moves return the operand's first byte whatever the mask. Gather, scatter and tile instructions have an
///     address per element and are unknown.
///   * The hint instructions (nop with an operand, prefetch) and lea are FL_ACCESS_NONE.
#include "../../shim_code.h"

#include "fl_fault.h"

#if defined(__x86_64__)

/// The processor refuses longer instructions (Intel SDM volume 2, section 2.3.11).
enum { MAXIMUM_LENGTH = 15 };

/// Register numbers of the encoding with a role of their own; NO_REGISTER is an absent base or index.
enum { RAX = 0, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7, NO_REGISTER = 16 };

/// The low bits of a REX prefix; VEX and EVEX are brought to the same shape.
enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8 };

/// The prefix that VEX and EVEX carry in their field `pp`.
enum { PP_NONE = 0, PP_66 = 1, PP_F3 = 2, PP_F2 = 3 };

typedef enum encoding : uint8_t { LEGACY, VEX, EVEX } encoding;

/// Opcode maps, numbered as in VEX and EVEX; 0 is the one-byte map.
enum { MAP_ONE = 0, MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3 };

/// One instruction while it is read.
typedef struct instruction {
    const uint8_t *code;
    size_t limit;        ///< bytes that may be read
    size_t length;       ///< bytes read so far
    bool truncated;      ///< more bytes were needed than may be read
    bool operand_16;     ///< prefix 66
    bool address_32;     ///< prefix 67
    bool thread_segment; ///< prefix 64 or 65
    uint8_t repeat;      ///< prefix F2 or F3, else 0
    bool lock;           ///< prefix F0
    uint8_t rex;
    encoding encoding;
    uint8_t map;
    uint8_t opcode;
    uint32_t displacement_scale; ///< of an 8-bit displacement (EVEX compresses it); 0 if not known
    uint8_t mod, reg, rm;        ///< of ModRM, without the bits from REX
    uint8_t base, index, shift;  ///< of the memory operand
    bool rip_relative;
    uint64_t displacement;
} instruction;

// clang-format off
static const char one_byte_map[257] =
    "MMMMiz??MMMMiz??" // 00  06 07 0E: not in long mode, 0F: escape
    "MMMMiz??MMMMiz??" // 10
    "MMMMiz??MMMMiz??" // 20  26 2E: prefixes
    "MMMMiz??MMMMiz??" // 30  36 3E: prefixes
    "????????????????" // 40  REX
    "ppppppppoooooooo" // 50
    "???M????QZPIDDSS" // 60  62: EVEX, 64 to 67: prefixes
    "iiiiiiiiiiiiiiii" // 70
    "IZ?IMMMMMMMMMNMG" // 80
    "..........?.po.." // 90
    "OOOOTTTTizDDSSDD" // A0
    "iiiiiiiivvvvvvvv" // B0
    "IIto??GGelto.i?o" // C0  C4 C5: VEX
    "MMMM???XMMMMMMMM" // D0  D5: REX2
    "iiiiiiiicr?i...." // E0
    "?.??..GG......GG"; // F0  F0 F2 F3: prefixes

static const char two_byte_map[257] =
    "MGMM?.....?.?N.?" // 00  0F: 3DNow
    "MMMMMMMMNN??NNNN" // 10  1A 1B: bounds (a nop or not, by processor)
    "RRRR????MMMMMMMM" // 20
    "......?.????????" // 30  38 3A: escapes
    "MMMMMMMMMMMMMMMM" // 40
    "MMMMMMMMMMMMMMMM" // 50
    "MMMMMMMMMMMMMMMM" // 60
    "IIIIMMM.????MMMM" // 70
    "rrrrrrrrrrrrrrrr" // 80
    "MMMMMMMMMMMMMMMM" // 90
    "po.BIM??po.BIMMM" // A0
    "MMMBMMMMGNIBMMMM" // B0  B9: ud1
    "MMIMIIIM........" // C0
    "MMMMMMMMMMMMMMMM" // D0
    "MMMMMMMMMMMMMMMM" // E0
    "MMMMMMMkMMMMMMMN"; // F0  FF: ud0
// clang-format on

/// The scale of an EVEX displacement (Intel SDM volume 2, section 2.7.5): a form of tuple for each opcode.
///
///     F  full vector, or one element of W if broadcast    1 2 4 8  that many bytes  h  half of a vector
///     H  half of a vector, or 4 bytes if broadcast        x        16 bytes         q  a quarter
///     V  full vector                                      y        32 bytes         o  an eighth
///     S  one element of W                                 ?        not known
// clang-format off
static const char evex_tuple_0f[257] = // without prefix and with 66
    "????????????????" "VV88FF88????????" // 00
    "????????VV?V??SS" "????????????????" // 20
    "????????????????" "?F??FFFFFFFFFFFF" // 40
    "VVFVVVFVVVFFFFSV" "FVFFVVF???????SV" // 60
    "????????????????" "????????????????" // 80
    "????????????????" "????????????????" // A0
    "??F?2?F?????????" "?xxxFVS?VVVFVVVF" // C0
    "VxxVVVFVVVVFVVVF" "?xxxFVV?VVFFVVF?"; // E0

static const char evex_tuple_0f38[257] = // with 66
    "V???V??????VFF??" "VVVhFFF?48xyVVFF" // 00
    "hqohqhVFFFVFFS??" "hqohqhFFVFVFVFVF" // 20
    "F?FSFFFF????FSFS" "FFFFVF??48xy????" // 40
    "????FFV?????????" "VFVF?VFF12???VFF" // 60
    "???F????SSSS?V?V" "??????FFFSFSFSFS" // 80
    "??????FFFSFSFSFS" "????FFFFFSFSFSFS" // A0
    "????F???F?FSFS?V" "????????????VVVV" // C0
    "????????????????" "????????????????"; // E0

static const char evex_tuple_0f3a[257] = // with 66
    "FF?FFF??FF48???V" "????12S4xxyy?hFF" // 00
    "14SF?FFS????????" "????????xxyy??VV" // 20
    "??VFV???????????" "FS??FSFS????????" // 40
    "??????FS????????" "VFVF????????????" // 60
    "????????????????" "????????????????" // 80
    "????????????????" "????????????????" // A0
    "??????????????FF" "????????????????" // C0
    "????????????????" "????????????????"; // E0
// clang-format on

/// The tuple of an instruction of the map 0F with the prefix F3 or F2. Signal context: callable.
static char evex_tuple_0f_scalar(uint8_t opcode, uint8_t pp, bool is_wide) {
    switch (opcode) {
    case 0x10:
    case 0x11:
    case 0x51:
    case 0x58:
    case 0x59:
    case 0x5A:
    case 0x5C:
    case 0x5D:
    case 0x5E:
    case 0x5F:
    case 0xC2: return is_wide == (pp == PP_F2) ? 'S' : '?'; // single precision has W = 0, double W = 1
    case 0x2A:
    case 0x7B: // from an integer
    case 0x7E: // movq, or movd of AVX10.2
        return 'S';
    case 0x2C:
    case 0x2D:
    case 0x78:
    case 0x79: // to an integer: W is the integer's width
        return pp == PP_F3 ? '4' : '8';
    case 0x16:
    case 0x6F:
    case 0x70:
    case 0x7F: return 'V';
    case 0x12: return pp == PP_F3 ? 'V' : '?'; // movddup's half of 128 bits but whole of more is not worth a form
    case 0x5B: return 'F';
    default: return '?';
    }
}

/// The tuple of an EVEX instruction. Signal context: callable.
static char evex_tuple(const instruction *it, uint8_t pp) {
    uint8_t opcode = it->opcode;
    bool is_wide = it->rex & REX_W;
    switch (it->map) {
    case MAP_0F:
        if (pp >= PP_F3) return evex_tuple_0f_scalar(opcode, pp, is_wide);
        if ((opcode == 0x2E || opcode == 0x2F) && is_wide != (pp == PP_66)) return '?'; // ucomis, comis
        return opcode == 0x5A && pp == PP_NONE ? 'H' : evex_tuple_0f[opcode];
    case MAP_0F38:
        // With F3: narrowing moves mirror the widening ones with 66 (10 to 15 saturate), vptestnm mirrors vptestm.
        if (pp == PP_F3 && ((opcode >= 0x20 && opcode <= 0x27) || (opcode >= 0x30 && opcode <= 0x35)))
            return evex_tuple_0f38[opcode];
        if (pp == PP_F3 && opcode >= 0x10 && opcode <= 0x15) return evex_tuple_0f38[opcode + 0x10];
        return pp == PP_66 ? evex_tuple_0f38[opcode] : '?';
    case MAP_0F3A: return pp == PP_66 ? evex_tuple_0f3a[opcode] : '?';
    default: return '?';
    }
}

/// The unit of an 8-bit displacement in bytes, 0 if not known. Signal context: callable.
static uint32_t evex_displacement_scale(const instruction *it, uint8_t pp, uint8_t vector_length, bool broadcast) {
    uint32_t vector = 16u << vector_length;
    uint32_t element = it->rex & REX_W ? 8 : 4;
    char tuple = evex_tuple(it, pp);
    if (broadcast) return tuple == 'F' ? element : tuple == 'H' ? 4 : 0;
    switch (tuple) {
    case 'F':
    case 'V': return vector;
    case 'H':
    case 'h': return vector / 2;
    case 'q': return vector / 4;
    case 'o': return vector / 8;
    case 'S': return element;
    case '1': return 1;
    case '2': return 2;
    case '4': return 4;
    case '8': return 8;
    case 'x': return 16;
    case 'y': return 32;
    default: return 0;
    }
}

/// The next byte, or 0 beyond the end. Signal context: callable.
static uint8_t next_byte(instruction *it) {
    if (it->length < it->limit) return it->code[it->length++];
    it->truncated = true;
    return 0;
}

/// The next `size` bytes as a little-endian number, sign-extended. Signal context: callable.
static uint64_t next_signed(instruction *it, uint32_t size) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < size; i++) value |= (uint64_t)next_byte(it) << (8 * i);
    uint32_t unused = 64 - 8 * size;
    return size == 0 ? 0 : (uint64_t)((int64_t)(value << unused) >> unused);
}

/// Reads legacy prefixes and REX, and returns the byte that follows. Signal context: callable.
static uint8_t read_prefixes(instruction *it) {
    for (;;) {
        uint8_t byte = next_byte(it);
        switch (byte) {
        case 0x66: it->operand_16 = true; break;
        case 0x67: it->address_32 = true; break;
        case 0x64:
        case 0x65: it->thread_segment = true; break;
        case 0x26:
        case 0x2E:
        case 0x36:
        case 0x3E: break; // segments that long mode ignores; notrack
        case 0xF2:
        case 0xF3: it->repeat = byte; break;
        case 0xF0: it->lock = true; break;
        case 0x40 ... 0x4F: it->rex = byte & 0xF; continue;
        default: return byte;
        }
        if (it->truncated) return 0;
        it->rex = 0; // REX counts only directly before the opcode
    }
}

/// The form of an opcode in a VEX or EVEX map. Signal context: callable.
static char vector_form(const instruction *it) {
    switch (it->map) {
    case MAP_0F:
        switch (it->opcode) {
        case 0x77: return '.'; // vzeroupper
        case 0x70 ... 0x73:
        case 0xC2:
        case 0xC4 ... 0xC6: return 'I';
        case 0xF7: return 'k';
        case 0x10 ... 0x17:
        case 0x28 ... 0x2F:
        case 0x41 ... 0x4B:
        case 0x50 ... 0x6F:
        case 0x74 ... 0x76:
        case 0x78 ... 0x7F:
        case 0x90 ... 0x93:
        case 0x98 ... 0x99:
        case 0xAE:
        case 0xD0 ... 0xF6:
        case 0xF8 ... 0xFE: return 'M';
        default: return '?';
        }
    case MAP_0F38:
        switch (it->opcode) {
        case 0x48 ... 0x4B: return '?'; // tiles
        case 0x90 ... 0x93:
        case 0xA0 ... 0xA3:
        case 0xC6 ... 0xC7: return '?'; // gather, scatter
        default: return 'M';
        }
    case MAP_0F3A: return 'I';
    default: return '?';
    }
}

/// The form of an opcode in the maps 0F38 and 0F3A without VEX. Signal context: callable.
static char three_byte_form(const instruction *it) {
    if (it->map == MAP_0F3A) return 'I';
    // F8 stores to a place that a register names besides its operand (movdir64b, enqcmd).
    return it->opcode == 0xF8 ? '?' : 'M';
}

/// Whether a prefix stands before VEX or EVEX that these do not allow. Signal context: callable.
static bool has_vector_conflict(const instruction *it) {
    return it->operand_16 || it->repeat != 0 || it->lock || it->rex != 0;
}

/// Reads what follows C4 or C5, with the opcode. Signal context: callable.
static char read_vex(instruction *it, bool is_long) {
    if (has_vector_conflict(it)) return '?';
    it->encoding = VEX;
    uint8_t first = next_byte(it);
    it->map = is_long ? first & 0x1F : MAP_0F;
    it->rex = (uint8_t)(~first >> 5 & (is_long ? REX_R | REX_X | REX_B : REX_R));
    if (is_long && next_byte(it) & 0x80) it->rex |= REX_W;
    it->opcode = next_byte(it);
    return vector_form(it);
}

/// Reads what follows 62, with the opcode. Signal context: callable.
static char read_evex(instruction *it) {
    if (has_vector_conflict(it)) return '?';
    it->encoding = EVEX;
    uint8_t first = next_byte(it), second = next_byte(it), third = next_byte(it);
    // APX gives these two bits a meaning (registers 16 to 31).
    if (first & 8 || !(second & 4)) return '?';
    it->map = first & 7;
    it->rex = (uint8_t)((~first >> 5 & (REX_R | REX_X | REX_B)) | (second & 0x80 ? REX_W : 0));
    it->opcode = next_byte(it);
    uint8_t vector_length = third >> 5 & 3;
    bool broadcast = third & 0x10;
    it->displacement_scale = vector_length == 3 ? 0 : evex_displacement_scale(it, second & 3, vector_length, broadcast);
    return vector_form(it);
}

/// Reads up to the opcode and returns its form. Signal context: callable.
static char read_opcode(instruction *it) {
    uint8_t byte = read_prefixes(it);
    switch (byte) {
    case 0xC4: return read_vex(it, true);
    case 0xC5: return read_vex(it, false);
    case 0x62: return read_evex(it);
    case 0x0F: break;
    default: it->opcode = byte; return one_byte_map[byte];
    }
    byte = next_byte(it);
    if (byte != 0x38 && byte != 0x3A) {
        it->map = MAP_0F;
        it->opcode = byte;
        return two_byte_map[byte];
    }
    it->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
    it->opcode = next_byte(it);
    return three_byte_form(it);
}

/// Reads the SIB byte. Signal context: callable.
static void read_sib(instruction *it) {
    uint8_t sib = next_byte(it);
    it->shift = sib >> 6;
    it->index = (uint8_t)((sib >> 3 & 7) | (it->rex & REX_X ? 8 : 0));
    if (it->index == RSP) it->index = NO_REGISTER;
    it->base = (uint8_t)((sib & 7) | (it->rex & REX_B ? 8 : 0));
    if ((sib & 7) == RBP && it->mod == 0) {
        it->base = NO_REGISTER;
        it->displacement = next_signed(it, 4);
    }
}

/// Reads ModRM, SIB and displacement; false where the displacement's scale is not known. Signal context: callable.
static bool read_operand(instruction *it, char form) {
    uint8_t byte = next_byte(it);
    it->mod = form == 'R' ? 3 : byte >> 6;
    it->reg = byte >> 3 & 7;
    it->rm = byte & 7;
    it->base = it->index = NO_REGISTER;
    if (it->mod == 3) return true;
    if (it->rm == 4) {
        read_sib(it);
    } else if (it->rm == 5 && it->mod == 0) {
        it->rip_relative = true;
        it->displacement = next_signed(it, 4);
    } else {
        it->base = (uint8_t)(it->rm | (it->rex & REX_B ? 8 : 0));
    }
    if (it->mod == 2) it->displacement = next_signed(it, 4);
    if (it->mod == 1) it->displacement = next_signed(it, 1) * it->displacement_scale;
    return it->mod != 1 || it->displacement_scale != 0;
}

/// The form of an opcode of the one-byte map that ModRM selects. Signal context: callable.
static char one_byte_group_form(const instruction *it) {
    bool is_register = it->mod == 3;
    switch (it->opcode) {
    case 0x8F: return it->reg == 0 ? 'W' : '?'; // others: XOP
    case 0xC6:
    case 0xC7: {
        bool is_transaction = is_register && it->reg == 7 && it->rm == 0; // xabort, xbegin
        return it->reg != 0 && !is_transaction ? '?' : it->opcode == 0xC6 ? 'I' : 'Z';
    }
    case 0xF6: return it->reg < 2 ? 'I' : 'M';
    case 0xF7: return it->reg < 2 ? 'Z' : 'M';
    case 0xFE: return it->reg < 2 ? 'M' : '?';
    default: // FF: inc dec call call-far jmp jmp-far push
        switch (it->reg) {
        case 2: return 'C';
        case 3: return is_register ? '?' : 'C';
        case 5: return is_register ? '?' : 'M';
        case 6: return 'U';
        case 7: return '?';
        default: return 'M';
        }
    }
}

/// The form of an opcode of the map 0F that ModRM or a prefix selects. Signal context: callable.
static char two_byte_group_form(const instruction *it) {
    if (it->opcode == 0xB8) return it->repeat == 0xF3 ? 'M' : '?'; // popcnt
    if (it->mod != 3) return it->reg == 7 ? 'N' : 'M';             // 01: invlpg does not access its operand
    // monitor, monitorx and clzero take an address in rax.
    bool is_implicit = (it->reg == 1 && it->rm == 0) || (it->reg == 7 && (it->rm == 2 || it->rm == 4));
    return is_implicit ? '?' : 'M';
}

/// Whether a form has a ModRM byte. Signal context: callable.
static bool has_operand(char form) {
    switch (form) {
    case 'M':
    case 'I':
    case 'Z':
    case 'N':
    case 'R':
    case 'G':
    case 'B':
    case 'k': return true;
    default: return false;
    }
}

/// Bytes of the immediate of a form. Signal context: callable.
static uint32_t immediate_size(const instruction *it, char form) {
    bool is_wide = it->rex & REX_W;
    uint32_t word = it->operand_16 && !is_wide ? 2 : 4;
    switch (form) {
    case 'i':
    case 'I':
    case 'P': return 1;
    case 't': return 2;
    case 'e': return 3;
    case 'r':
    case 'c': return 4;
    case 'z':
    case 'Z':
    case 'Q': return word;
    case 'v': return is_wide ? 8 : word;
    case 'O': return it->address_32 ? 4 : 8;
    default: return 0;
    }
}

/// What 32-bit addressing leaves of an address. Signal context: callable.
static uintptr_t truncated_address(const instruction *it, uintptr_t address) {
    return it->address_32 ? (uint32_t)address : address;
}

/// The effective address of the ModRM operand; the whole instruction has been read. Signal context: callable.
static uintptr_t operand_address(const instruction *it, const fl_general_registers *registers, uintptr_t offset) {
    uintptr_t address = it->displacement + offset;
    if (it->rip_relative) address += registers->rip + it->length;
    if (it->base != NO_REGISTER) address += registers->value[it->base];
    if (it->index != NO_REGISTER) address += registers->value[it->index] << it->shift;
    return truncated_address(it, address);
}

/// How far from the operand the word lies that holds the bit of bt and its kin, in bytes: the register's bit number
/// is signed and reaches beyond the operand. Signal context: callable.
static uintptr_t bit_string_offset(const instruction *it, const fl_general_registers *registers) {
    uintptr_t number = registers->value[it->reg | (it->rex & REX_R ? 8 : 0)];
    if (it->rex & REX_W) return (uintptr_t)((int64_t)number >> 6) * 8;
    if (it->operand_16) return (uintptr_t)((int64_t)(int16_t)number >> 4) * 2;
    return (uintptr_t)((int64_t)(int32_t)number >> 5) * 4;
}

/// Signal context: callable.
static bool is_canonical(uintptr_t address) { return (uintptr_t)((int64_t)(address << 16) >> 16) == address; }

/// Signal context: callable.
static fl_access access_of(const instruction *it, fl_access_kind kind, uintptr_t address) {
    return (fl_access){.kind = kind, .length = (uint32_t)it->length, .address = address};
}

/// An explicit operand, to which a prefix fs or gs applies. Signal context: callable.
static fl_access memory_access(const instruction *it, uintptr_t address) {
    fl_access access = access_of(it, FL_ACCESS_MEMORY, address);
    access.uses_thread_segment = it->thread_segment;
    return access;
}

/// The access of a push, `size` bytes below the stack pointer. Signal context: callable.
static fl_access push_access(const instruction *it, const fl_general_registers *registers) {
    // REX.W does not matter: pushes are of 8 bytes unless the prefix 66 makes them 2.
    return access_of(it, FL_ACCESS_PUSH, registers->value[RSP] - (it->operand_16 && !(it->rex & REX_W) ? 2 : 8));
}

/// An operand that is also pushed, called or popped. Signal context: callable.
static fl_access stack_operand_access(const instruction *it, const fl_general_registers *registers, char form) {
    if (it->mod != 3) {
        // pop computes its address after it has raised the stack pointer.
        bool is_raised = form == 'W' && it->base == RSP;
        uintptr_t raise = !is_raised ? 0 : it->operand_16 && !(it->rex & REX_W) ? 2 : 8;
        fl_access access = memory_access(it, operand_address(it, registers, raise));
        access.second_is_stack = 1;
        return access;
    }
    if (form == 'W') return access_of(it, FL_ACCESS_POP, registers->value[RSP]);
    return push_access(it, registers);
}

/// The access of a string instruction; see the file's head for the choice between two. Signal context: callable.
static fl_access string_access(const instruction *it, const fl_general_registers *registers, char form) {
    uintptr_t destination = truncated_address(it, registers->value[RDI]);
    uintptr_t source = truncated_address(it, registers->value[RSI]);
    if (form == 'S') return memory_access(it, source);
    bool is_source = form == 'T' && is_canonical(destination) && !is_canonical(source);
    // The prefix applies to the source alone, so the destination is where it says.
    return access_of(it, FL_ACCESS_MEMORY, is_source ? source : destination);
}

/// Whether vendors (and disassemblers) differ in what the prefix 66 does to a near branch. With REX.W it is padding of
/// calls to __tls_get_addr. Signal context: callable.
static bool is_narrow_branch(const instruction *it, char form) {
    bool is_call = form == 'c' || (form == 'C' && it->mod == 3);
    return it->operand_16 && (form == 'r' || (is_call && !(it->rex & REX_W)));
}

/// The access of an instruction that was read to its end. Signal context: callable.
static fl_access describe(const instruction *it, const fl_general_registers *registers, char form, uint64_t immediate) {
    const uintptr_t *value = registers->value;
    switch (form) {
    case 'M':
    case 'I':
    case 'Z':
        if (it->mod == 3) break;
        return memory_access(it, operand_address(it, registers, 0));
    case 'B':
        if (it->mod == 3) break;
        return memory_access(it, operand_address(it, registers, bit_string_offset(it, registers)));
    case 'C':
    case 'U':
    case 'W': return stack_operand_access(it, registers, form);
    case 'c':
    case 'p':
    case 'P':
    case 'Q':
    case 'e': return push_access(it, registers);
    case 'o':
    case 't': return access_of(it, FL_ACCESS_POP, value[RSP]);
    case 'l': return access_of(it, FL_ACCESS_POP, value[RBP]);
    case 'D':
    case 'S':
    case 'T':
        if (form == 'T' && it->thread_segment) return (fl_access){0};
        return string_access(it, registers, form);
    case 'k': return memory_access(it, truncated_address(it, value[RDI]));
    case 'X': return memory_access(it, truncated_address(it, value[RBX] + (uint8_t)value[RAX]));
    case 'O': return memory_access(it, truncated_address(it, immediate));
    default: break;
    }
    return access_of(it, FL_ACCESS_NONE, 0);
}

fl_access fl_instruction_decode(const uint8_t *code, size_t available, const fl_general_registers *registers) {
    instruction it = {
        .code = code,
        .limit = available < MAXIMUM_LENGTH ? available : MAXIMUM_LENGTH,
        .displacement_scale = 1,
    };
    char form = read_opcode(&it);
    if (form == '?') return (fl_access){0};
    if (has_operand(form) && !read_operand(&it, form)) return (fl_access){0};
    if (form == 'G') form = it.map == MAP_ONE ? one_byte_group_form(&it) : two_byte_group_form(&it);
    uint64_t immediate = next_signed(&it, immediate_size(&it, form));
    if (form == '?' || it.truncated || is_narrow_branch(&it, form)) return (fl_access){0};
    return describe(&it, registers, form, immediate);
}

#endif

#pragma clang attribute pop
