BEGIN;

-- - index a_y on a (y)
DROP INDEX public.a_y;

-- + unique a_x of a (x)
ALTER TABLE public.a ADD CONSTRAINT a_x UNIQUE (x);

-- + index a_x_y on a (x, y)
CREATE INDEX a_x_y ON public.a (x, y);

-- + check a_positive of a: y > 0
ALTER TABLE public.a ADD CONSTRAINT a_positive CHECK ((y > 0));

-- + foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
ALTER TABLE public.b ADD CONSTRAINT b_a FOREIGN KEY (a_id) REFERENCES public.a (id) ON UPDATE CASCADE ON DELETE SET NULL;

COMMIT;
