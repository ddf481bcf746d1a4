import { t } from '../messages';
import { layPage } from '../page';

layPage('train', t.train.title);
