// The dynamic linker's answer. The only call out of the shim here is `_dl_find_object`, which takes no lock.
#include "shim_code.h"

#include "loaded_object.h"

#include <link.h>

/// `struct dl_find_object` of glibc's <dlfcn.h>, mirrored because headers before 2.35 lack it.
typedef struct found_object {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    struct link_map *link_map;
    void *eh_frame; ///< the PT_GNU_EH_FRAME segment, which is .eh_frame_hdr
    unsigned long long reserved[7];
} found_object;

#if defined(__USE_GNU) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 35)
_Static_assert(sizeof(found_object) == sizeof(struct dl_find_object), "mirrors glibc");
_Static_assert(offsetof(found_object, link_map) == offsetof(struct dl_find_object, dlfo_link_map), "mirrors glibc");
_Static_assert(offsetof(found_object, eh_frame) == offsetof(struct dl_find_object, dlfo_eh_frame), "mirrors glibc");
#endif
#endif

/// Weak: absent before glibc 2.35. The alias keeps this declaration out of the way of <dlfcn.h>'s.
extern int linked_find_object(void *address, found_object *result) __asm__("_dl_find_object") __attribute__((weak));

/// Called through a pointer that the loader fills in at startup: a call through the PLT would bind the symbol lazily,
/// inside the handler. Volatile, or the compiler turns it back into that call.
static int (*const volatile find_object)(void *, found_object *) = linked_find_object;

bool fl_loaded_object_of(uintptr_t address, fl_loaded_object *object) {
    int (*find)(void *, found_object *) = find_object;
    found_object found;
    if (find == NULL || find((void *)address, &found) != 0) return false;
    const struct link_map *map = found.link_map;
    const char *path = map == NULL ? NULL : map->l_name;
    *object = (fl_loaded_object){
        .unwind = {.start = (uintptr_t)found.map_start,
                   .end = (uintptr_t)found.map_end,
                   .frame_header = (uintptr_t)found.eh_frame},
        .path = path,
        .map = map,
        // It has no name and is the first of its list.
        .is_executable = path != NULL && path[0] == '\0' && map->l_prev == NULL,
    };
    return true;
}

bool fl_object_has_code(const fl_loaded_object *object, uintptr_t address, uintptr_t before) {
    // The first segment begins with the ELF header, and the program headers stand behind it in the same page.
    enum { FIRST_PAGE = 4096, ELF_MAGIC = 0x464c457f };
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)object->unwind.start;
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(object->unwind.start + header->e_phoff);
    if (*(const uint32_t *)header->e_ident != ELF_MAGIC || header->e_phentsize != sizeof *segments ||
        header->e_phoff > FIRST_PAGE || header->e_phoff + header->e_phnum * sizeof *segments > FIRST_PAGE) {
        return false;
    }
    uintptr_t bias = object->unwind.start;
    bool is_first = true;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type != PT_LOAD) continue;
        if (is_first) bias -= segments[i].p_vaddr & ~(uintptr_t)(FIRST_PAGE - 1);
        is_first = false;
        uintptr_t low = bias + segments[i].p_vaddr, size = segments[i].p_filesz;
        if ((segments[i].p_flags & PF_X) && address - low <= size && address - low >= before) return true;
    }
    return false;
}

uintptr_t fl_object_finder(void) { return (uintptr_t)find_object; }

#pragma clang attribute pop
